//! The API server of a Kubernetes cluster, and our rights there.

use std::collections::BTreeMap;
use std::sync::Arc;

use livius_domain::{SystemClock, chain};
use livius_kubernetes::{KubernetesError, Namespace, Right, Template};
use livius_launch::kubernetes_access;
use livius_spark_home::Version;

use super::Facts;
use super::note::Note;
use super::place::Mode;
use super::versions;

const NAMESPACE: &str = "spark.kubernetes.namespace";
const ACCOUNT: &str = "spark.kubernetes.authenticate.driver.serviceAccountName";
const IMAGES: [&str; 2] = [
    "spark.kubernetes.container.image",
    "spark.kubernetes.driver.container.image",
];

/// The user of requests without credentials.
const ANONYMOUS: &str = "system:anonymous";

/// A label that no server has: nothing here looks at pods.
const NO_SERVER: &str = "doctor";

/// The rights that Spark's own client needs besides the server's, in both modes. It creates drivers'
/// pods in cluster mode and executors in client mode, each with a config map.
const SPARKS: &[Right] = &[
    Right::of("create", "pods"),
    Right::of("get", "pods"),
    Right::of("create", "configmaps"),
    Right::of("patch", "configmaps"),
    Right::of("delete", "configmaps"),
];

/// The rights that only a submission needs. A driver's pod has a Service.
const SUBMITTERS: &[Right] = &[
    Right::of("create", "services"),
    Right::of("patch", "services"),
    Right::of("delete", "services"),
];

/// The further rights for client mode: a driver removes the config map of its executors.
const CLIENTS: &[Right] = &[
    Right::of("list", "configmaps"),
    Right::of("deletecollection", "configmaps"),
];

/// The rights for the network policy that Spark makes for an application, from this version on.
const POLICIES: &[Right] = &[
    policies("create"),
    policies("get"),
    policies("patch"),
    policies("delete"),
];
const WITH_POLICIES: (u32, u32) = (4, 3);

const fn policies(verb: &'static str) -> Right {
    Right {
        group: "networking.k8s.io",
        ..Right::of(verb, "networkpolicies")
    }
}

/// Looks at the API server of a master as the server would.
pub async fn look(facts: &Facts, master: &str, mode: Mode) -> Vec<Note> {
    let mut notes = spark(facts);
    let name = namespace(&facts.conf);
    let in_cluster = mode == Mode::Cluster;
    let access = kubernetes_access(master, in_cluster, &facts.conf, &facts.environment);
    match Namespace::open(&access, name, NO_SERVER, Arc::new(SystemClock)).await {
        Ok((namespace, _)) => notes.extend(ask(&namespace, facts, mode).await),
        Err(error) => notes.push(failed("the access cannot be used", &error)),
    }
    if mode == Mode::Cluster {
        notes.extend(driver(&facts.conf));
    }
    notes
}

/// The namespace of drivers.
pub fn namespace(conf: &BTreeMap<String, String>) -> &str {
    conf.get(NAMESPACE).map_or("default", String::as_str)
}

fn spark(facts: &Facts) -> Vec<Note> {
    let without = facts
        .spark
        .as_ref()
        .filter(|spark| !versions::has_module(spark, "spark-kubernetes"));
    let note = without.map(|spark| {
        Note::problem(
            format!("the Spark at {} has no module for Kubernetes", spark.home),
            "use a Spark distribution that is built with Kubernetes",
        )
    });
    note.into_iter().collect()
}

async fn ask(namespace: &Namespace, facts: &Facts, mode: Mode) -> Vec<Note> {
    let version = match namespace.version().await {
        Ok(version) => version,
        Err(error) => return vec![failed("the API server tells nothing", &error)],
    };
    let spark = facts.spark.as_ref().map(|spark| &spark.version);
    let mut notes = vec![versions::kubernetes(spark, &version)];
    let needed = needed(mode, spark, facts.objects.as_deref());
    notes.push(match namespace.missing(&needed).await {
        Ok(missing) => rights(namespace.name(), &missing),
        Err(error) => failed("the API server does not tell our rights", &error),
    });
    notes
}

fn needed(mode: Mode, spark: Option<&Version>, objects: Option<&Template>) -> Vec<Right> {
    let mut needed = [Right::NEEDED, SPARKS].concat();
    if mode == Mode::Client {
        needed.extend(CLIENTS);
    } else {
        needed.extend(SUBMITTERS);
        let of_objects = objects.map(Template::rights).unwrap_or_default();
        needed.extend(of_objects.iter().filter(|one| !SUBMITTERS.contains(one)));
        if spark.is_some_and(|spark| (spark.major, spark.minor) >= WITH_POLICIES) {
            needed.extend(POLICIES);
        }
    }
    needed
}

fn rights(namespace: &str, missing: &[Right]) -> Note {
    if missing.is_empty() {
        return Note::good(format!(
            "the account has all rights that the server and Spark's client need in the namespace {namespace}"
        ));
    }
    let names: Vec<String> = missing.iter().map(Right::to_string).collect();
    Note::problem(
        format!(
            "the account lacks rights in the namespace {namespace}: {}",
            names.join(", ")
        ),
        format!(
            "bind a Role with these rights to it in {namespace}; docs/guide/kubernetes.md has the whole list"
        ),
    )
}

/// Settings of Spark that a driver's pod needs. A request may have its own.
fn driver(conf: &BTreeMap<String, String>) -> Vec<Note> {
    let is_set = |key: &&str| conf.get(*key).is_some_and(|value| !value.is_empty());
    let mut notes = Vec::new();
    if !IMAGES.iter().any(is_set) {
        notes.push(Note::warning(
            "no image is set for drivers, so each request has to name one",
            format!(
                "set {} in [spark.conf], to an image with this Spark",
                IMAGES[0]
            ),
        ));
    }
    if !is_set(&ACCOUNT) {
        notes.push(Note::warning(
            "drivers run with the namespace's service account `default`, which usually may not create executors",
            format!("set {ACCOUNT} in [spark.conf], and give that account the rights of drivers in docs/guide/kubernetes.md"),
        ));
    }
    notes
}

fn failed(what: &str, error: &KubernetesError) -> Note {
    let remedy = match error {
        KubernetesError::Access { .. } => {
            "check the kubeconfig (KUBECONFIG), spark.kubernetes.context, and the files of spark.kubernetes.authenticate"
        }
        KubernetesError::Away { .. } => {
            "check the address in spark.master, and whether this machine may connect to it"
        }
        KubernetesError::Tls { .. } => {
            "name the file with the cluster's authority: in the kubeconfig, or in spark.kubernetes.authenticate.submission.caCertFile \
             (client mode: spark.kubernetes.authenticate.caCertFile)"
        }
        KubernetesError::Refused { status, message }
            if *status == 401 || message.contains(ANONYMOUS) =>
        {
            "give the server credentials that the API server accepts: a kubeconfig, a token file, or a pod's service account"
        }
        KubernetesError::Refused { .. } => {
            "bind the roles in docs/guide/kubernetes.md to the server's account"
        }
        KubernetesError::Invalid { .. } => {
            "check spark.kubernetes.namespace: it has small letters, digits and -"
        }
        KubernetesError::NotFound { .. } | KubernetesError::Foreign { .. } => {
            "check the address in spark.master: something else may answer there"
        }
    };
    Note::problem(format!("{what}: {}", chain(error)), remedy)
}

#[cfg(test)]
mod tests;
