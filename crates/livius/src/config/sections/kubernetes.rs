//! `[kubernetes]`: what drivers may ask of Kubernetes.

use livius_domain::AppInfo;
use livius_launch::KubernetesLimits;

use super::spark::{self, SparkSettings};
use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, list, optional_text};

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
        "The address at which users reach Spark's pages of a driver in a pod, as `https://spark.example.com/{namespace}/{pod}/`. `{namespace}`, `{pod}`, `{app}` (Spark's id of the application) and `{driver}` stand for the names. If it is unset, clients get no address of a driver in a pod, because nothing leads there from outside of the cluster.",
    );
}

/// The names in braces that the address of Spark's pages may have.
const NAMES: [&str; 4] = ["{namespace}", "{pod}", "{app}", "{driver}"];

/// The settings of the section.
#[derive(Debug, Clone)]
pub struct KubernetesSettings {
    /// What drivers may ask for.
    pub limits: KubernetesLimits,
    /// The address of Spark's pages, with names in braces.
    pub spark_ui: Option<String>,
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
        let spark_ui = resolved.value(&SPARK_UI);
        if let Some(address) = &spark_ui
            && !is_template(address)
        {
            problems.refuse(
                &SPARK_UI,
                format!(
                    "{address:?} is not an address: it begins with http:// or https://, and has no names in braces but {}",
                    NAMES.join(", ")
                ),
            );
        }
        Self { limits, spark_ui }
    }
}

fn or_any(patterns: Vec<String>) -> Vec<String> {
    if patterns.is_empty() {
        vec!["*".to_owned()]
    } else {
        patterns
    }
}

fn is_template(address: &str) -> bool {
    let filled = NAMES
        .iter()
        .fold(address.to_owned(), |text, name| text.replace(name, "x"));
    AppInfo::is_address(&filled) && !filled.contains(['{', '}'])
}
