//! `[kubernetes]`: what drivers may ask of Kubernetes.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::AppInfo;
use livius_kubernetes::{Names, Template};
use livius_launch::{KubernetesLimits, SparkPages};

use super::spark::{self, SparkSettings};
use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, list, optional_file, optional_text};

settings! {
    MASTERS: Vec<String> = list(
        "kubernetes.masters",
        "The API servers that requests may name as their master (`k8s://…`), besides the one of `spark.master`, `spark.conf` or `spark-defaults.conf`. `*` stands for any text without a slash, and alone for every API server. The server sends its credentials to the master, so name only servers that may have them.",
    );
    NAMESPACES: Vec<String> = list(
        "kubernetes.namespaces",
        "The namespaces that drivers and executors may run in (`spark.kubernetes.namespace`). `*` stands for any text. If it is unset, every namespace in which the server's account may make pods and secrets.",
    );
    IMAGES: Vec<String> = list(
        "kubernetes.images",
        "The container images of drivers and executors. `*` stands for any text, as in `registry.example.com/spark/*`. If it is unset, every image.",
    );
    POD_TEMPLATES: Vec<String> = list(
        "kubernetes.pod_templates",
        "The pod templates that drivers may name (`spark.kubernetes.driver.podTemplateFile`, `spark.kubernetes.executor.podTemplateFile`), written as the configuration names them. If it is unset, none, because a template can mount every secret of its namespace. A template that `spark.conf` names has to be here as well.",
    );
    HOST_PATHS: Vec<String> = list(
        "kubernetes.host_paths",
        "The directories of the nodes that drivers and executors may mount (`spark.kubernetes.driver.volumes.hostPath.…`), with everything below them. If it is unset, none.",
    );
    SPARK_UI: Option<String> = optional_text(
        "kubernetes.spark_ui",
        "The address at which users reach Spark's pages of a driver in a pod, as `https://spark.example.com/{namespace}/{pod}/`. `{namespace}`, `{pod}`, `{app}` (Spark's id of the application), `{driver}` and `{service}` (`livius-{driver}`) stand for the names. If the address has a path, drivers get `spark.ui.proxyBase` and `spark.ui.proxyRedirectUri` for it, unless the configuration has one of them, or the path has `{app}`. If it is unset, it is the address of the first host of an Ingress in `kubernetes.ingress`. Without one, clients get no address of a driver in a pod, because nothing leads there from outside of the cluster.",
    );
    INGRESS: Option<Utf8PathBuf> = optional_file(
        "kubernetes.ingress",
        "A file with the objects that the pod of each driver gets, as a way to Spark's pages: YAML documents of the kinds Service (`v1`), Ingress (`networking.k8s.io/v1`) and HTTPRoute (`gateway.networking.k8s.io/v1`). Texts may have the names of `kubernetes.spark_ui` in braces. Kubernetes removes the objects with the pod. The server reads the file when it starts. docs/guide/kubernetes.md has an example.",
    );
    SERVICE_ACCOUNTS: Vec<String> = list(
        "kubernetes.service_accounts",
        "The service accounts that requests may name for their drivers and executors (`spark.kubernetes.authenticate.driver.serviceAccountName`, `spark.kubernetes.authenticate.executor.serviceAccountName`, `spark.kubernetes.authenticate.serviceAccountName`), besides those of `spark.conf` and `spark-defaults.conf`. `*` stands for any text. If it is unset, no others, because a driver has all rights of its account.",
    );
}

/// The settings of the section.
#[derive(Debug, Clone)]
pub struct KubernetesSettings {
    /// What drivers may ask for.
    pub limits: KubernetesLimits,
    /// The way to Spark's pages.
    pub pages: SparkPages,
}

impl KubernetesSettings {
    /// Reads the section. The server's own Spark configuration must keep the limits, too.
    pub fn read(resolved: &Resolved, spark: &SparkSettings, problems: &mut Problems) -> Self {
        let own = [&spark.overrides, &spark.defaults];
        let own_masters = own.iter().filter_map(|conf| conf.get("spark.master"));
        let limits = KubernetesLimits {
            own_masters: own_masters.cloned().collect(),
            masters: resolved.value(&MASTERS),
            namespaces: or_any(resolved.value(&NAMESPACES)),
            images: or_any(resolved.value(&IMAGES)),
            pod_templates: resolved.value(&POD_TEMPLATES),
            host_paths: resolved.value(&HOST_PATHS),
            own_service_accounts: KubernetesLimits::accounts_in(&spark.overrides)
                .chain(KubernetesLimits::accounts_in(&spark.defaults))
                .map(str::to_owned)
                .collect(),
            service_accounts: resolved.value(&SERVICE_ACCOUNTS),
        };
        for pattern in &limits.masters {
            if !KubernetesLimits::is_master(pattern) {
                let sentence = format!(
                    "{pattern:?} is not the address of an API server: write https://host:port"
                );
                problems.refuse(&MASTERS, sentence);
            }
        }
        for path in &limits.host_paths {
            if !path.starts_with('/') {
                problems.refuse(&HOST_PATHS, format!("{path:?} is not an absolute path"));
            }
        }
        let mut conf = spark.defaults.clone();
        conf.extend(spark.overrides.clone());
        if let Err(refusal) = limits.check(&conf) {
            let sentence = format!("every session and batch would be refused: {}", refusal.why);
            if spark.overrides.contains_key(&refusal.key) {
                problems.refuse(&spark::MASTER, sentence);
            } else {
                problems.refuse_entry(&spark::CONF, &refusal.key, sentence);
            }
        }
        let pages = pages(resolved, problems);
        Self { limits, pages }
    }
}

fn pages(resolved: &Resolved, problems: &mut Problems) -> SparkPages {
    let objects = resolved.value(&INGRESS).and_then(|file| {
        let read = read_template(&file);
        read.map_err(|problem| problems.refuse(&INGRESS, problem))
            .ok()
    });
    let address = resolved.value(&SPARK_UI);
    if let Some(address) = &address
        && !is_template(address)
    {
        problems.refuse(
            &SPARK_UI,
            format!(
                "{address:?} is not an address: it begins with http:// or https://, and has no names in braces but {}",
                Names::PLACEHOLDERS.join(", ")
            ),
        );
    }
    let of_ingress = || objects.as_ref().and_then(Template::address);
    SparkPages {
        address: address.or_else(|| of_ingress().filter(|address| is_template(address))),
        objects: objects.map(Arc::new),
    }
}

/// Reads the objects of each driver's pod. A problem names the file and what to do.
fn read_template(file: &Utf8Path) -> Result<Template, String> {
    let most = Template::MOST_BYTES;
    let mut text = String::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file)
        .and_then(|opened| opened.take(limit).read_to_string(&mut text))
        .map_err(|error| {
            format!("cannot read the file {file}: {error}; write a template there, or unset it")
        })?;
    Template::parse(&text).map_err(|error| {
        format!(
            "the file {file} is no template for the objects of drivers: {error}; correct it (docs/guide/kubernetes.md has an example)"
        )
    })
}

fn or_any(patterns: Vec<String>) -> Vec<String> {
    if patterns.is_empty() {
        vec!["*".to_owned()]
    } else {
        patterns
    }
}

fn is_template(address: &str) -> bool {
    let names = Names {
        namespace: "x",
        pod: "x",
        app: Some("x"),
        driver: "x",
    };
    let filled = names.fill(address);
    AppInfo::is_address(&filled) && !filled.contains(['{', '}'])
}
