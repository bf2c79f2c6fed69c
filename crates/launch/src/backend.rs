//! The kind of place that a driver runs in. This module is the only judge of master and deploy
//! mode.

use std::collections::BTreeMap;

use crate::kubernetes::KubernetesRefusal;

const DEPLOY_MODE: &str = "spark.submit.deployMode";
const MASTER: &str = "spark.master";
const YARN: &str = "yarn";
/// The scheme of the masters that are API servers of Kubernetes.
const KUBERNETES: &str = "k8s";
/// Spark's master when none is named.
const DEFAULT_MASTER: &str = "local[*]";

/// The kind of place that drivers run in. Each resource manager has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A process of this machine, whatever master its executors come from.
    Local,
    /// A worker of a standalone cluster. A process of this machine follows the driver there.
    Standalone,
    /// A container of a YARN cluster. The server follows the driver there by the
    /// REST interface of its `ResourceManager`.
    Yarn,
    /// A pod of a Kubernetes cluster. The server follows the pod there by the API server.
    Kubernetes,
}

/// The reason why no backend takes a driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// There is no such mode.
    #[error("understand spark.submit.deployMode={0}: write client or cluster")]
    DeployMode(String),
    /// The master's name contains another mode than the configuration.
    #[error(
        "run a driver at {master} with spark.submit.deployMode={mode}: write yarn as the master"
    )]
    Contradiction {
        /// The master, in Spark 1's spelling.
        master: String,
        /// The configured deploy mode.
        mode: String,
    },
    /// The server could not learn how the driver ends.
    #[error(
        "start a driver in cluster mode at {0}: cluster mode needs YARN, Kubernetes (k8s://…) or a standalone master \
         (spark://…); leave spark.submit.deployMode out to run the driver beside the server"
    )]
    Master(String),
    /// The driver would run as another user.
    #[error(
        "start a driver as {0} in cluster mode: the workers of a standalone cluster run drivers as their own user"
    )]
    ProxyUser(String),
    /// YARN would end the driver.
    #[error(
        "keep a primed driver in a container of YARN: YARN ends an application without a SparkContext after minutes; keep ready \
         drivers instead"
    )]
    PrimedOnYarn,
    /// The driver could not have the configuration of its session.
    #[error(
        "keep a primed driver in a pod: Spark decides much of a driver's configuration when it makes the pod; keep ready drivers \
         instead"
    )]
    PrimedInPod,
    /// The configuration asks for something on Kubernetes that the server does not grant.
    #[error(transparent)]
    Kubernetes(#[from] KubernetesRefusal),
}

impl Unsupported {
    /// The message for a client whose request asks for it.
    pub fn refusal(&self) -> String {
        match self {
            Self::DeployMode(mode) => {
                format!("conf.{DEPLOY_MODE} is {mode:?}: write \"client\" or \"cluster\"")
            }
            Self::Contradiction { master, mode } => format!(
                "conf.{MASTER} is {master:?} and {DEPLOY_MODE} is {mode:?}: write \"yarn\" as the master"
            ),
            Self::Master(master) => format!(
                "conf.{DEPLOY_MODE} is \"cluster\" and {MASTER} is {master:?}: cluster mode needs YARN, Kubernetes \
                 (k8s://…) or a standalone master (spark://…); leave it out to run in client mode"
            ),
            Self::Kubernetes(refusal) => format!("conf: {refusal}"),
            Self::ProxyUser(_) | Self::PrimedOnYarn | Self::PrimedInPod => format!("cannot {self}"),
        }
    }
}

impl Backend {
    /// Judges what a request asks for. An installation's defaults may still name a master where the
    /// request names none, so that passes.
    pub fn check(conf: &BTreeMap<String, String>) -> Result<(), Unsupported> {
        let mut conf = conf.clone();
        spell_out(&mut conf)?;
        if in_cluster(&conf)?
            && let Some(master) = conf.get(MASTER)
        {
            of_cluster_master(master)?;
        }
        Ok(())
    }

    /// Picks the backend for a complete configuration, whose master is [spelt out](spell_out).
    pub(crate) fn resolve(
        conf: &BTreeMap<String, String>,
        proxy_user: Option<&str>,
    ) -> Result<Self, Unsupported> {
        if !in_cluster(conf)? {
            return Ok(Self::Local);
        }
        match (of_cluster_master(master(conf))?, proxy_user) {
            (Self::Standalone, Some(user)) => Err(Unsupported::ProxyUser(user.to_owned())),
            (backend, _) => Ok(backend),
        }
    }
}

/// Writes a master in the spelling of Spark 1 as Spark reads it today. `livy.conf` and clients still
/// use `yarn-cluster` and `yarn-client`.
pub(crate) fn spell_out(conf: &mut BTreeMap<String, String>) -> Result<(), Unsupported> {
    let master = conf.get(MASTER).map_or("", String::as_str);
    let mode = match master {
        "yarn-client" => "client",
        "yarn-cluster" => "cluster",
        _ => return Ok(()),
    };
    if let Some(other) = conf.get(DEPLOY_MODE).filter(|named| *named != mode) {
        return Err(Unsupported::Contradiction {
            master: master.to_owned(),
            mode: other.clone(),
        });
    }
    conf.insert(MASTER.to_owned(), YARN.to_owned());
    conf.insert(DEPLOY_MODE.to_owned(), mode.to_owned());
    Ok(())
}

/// Whether YARN gives the application of a complete configuration its containers.
pub(crate) fn is_on_yarn(conf: &BTreeMap<String, String>) -> bool {
    master(conf) == YARN
}

/// Whether Kubernetes gives the application of a complete configuration its pods.
pub(crate) fn is_on_kubernetes(conf: &BTreeMap<String, String>) -> bool {
    api_server(conf).is_some()
}

/// The API server that is the master of a complete configuration, without Spark's `k8s://`.
pub(crate) fn api_server(conf: &BTreeMap<String, String>) -> Option<&str> {
    let (scheme, address) = master(conf).split_once("://")?;
    (scheme == KUBERNETES).then_some(address)
}

/// Names the master that `spark-submit` takes when the configuration names none.
pub(crate) fn add_master(
    conf: &mut BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) {
    let named = environment.get("MASTER").filter(|name| !name.is_empty());
    let master = named.map_or(DEFAULT_MASTER, String::as_str);
    conf.entry(MASTER.to_owned())
        .or_insert_with(|| master.to_owned());
}

/// The master of a complete configuration.
pub(crate) fn master(conf: &BTreeMap<String, String>) -> &str {
    conf.get(MASTER).map_or(DEFAULT_MASTER, String::as_str)
}

fn in_cluster(conf: &BTreeMap<String, String>) -> Result<bool, Unsupported> {
    match conf.get(DEPLOY_MODE).map_or("client", String::as_str) {
        "client" => Ok(false),
        "cluster" => Ok(true),
        other => Err(Unsupported::DeployMode(other.to_owned())),
    }
}

/// The backend that runs drivers at this master, by its URL.
fn of_cluster_master(master: &str) -> Result<Backend, Unsupported> {
    match master.split_once("://") {
        Some(("spark", _)) => Ok(Backend::Standalone),
        Some((KUBERNETES, _)) => Ok(Backend::Kubernetes),
        None if master == YARN => Ok(Backend::Yarn),
        _ => Err(Unsupported::Master(master.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(mode: &str, master: &str) -> BTreeMap<String, String> {
        let pairs = [(DEPLOY_MODE, mode), (MASTER, master)];
        let given = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        given
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn deploy_mode_and_master_pick_the_backend() {
        let standalone = "spark://h:7077";
        for (mode, master, backend) in [
            ("", "", Ok(Backend::Local)),
            ("client", "yarn", Ok(Backend::Local)),
            ("client", standalone, Ok(Backend::Local)),
            ("cluster", standalone, Ok(Backend::Standalone)),
            (
                "cluster",
                "",
                Err(Unsupported::Master(DEFAULT_MASTER.to_owned())),
            ),
            ("cluster", "yarn", Ok(Backend::Yarn)),
            ("cluster", "k8s://https://h:6443", Ok(Backend::Kubernetes)),
            ("client", "k8s://h", Ok(Backend::Local)),
            (
                "cluster",
                "yarn://h",
                Err(Unsupported::Master("yarn://h".to_owned())),
            ),
            (
                "Cluster",
                standalone,
                Err(Unsupported::DeployMode("Cluster".to_owned())),
            ),
        ] {
            let conf = conf(mode, master);
            assert_eq!(Backend::resolve(&conf, None), backend, "{conf:?}");
        }
        let user = Backend::resolve(&conf("cluster", standalone), Some("alice"));
        assert_eq!(user, Err(Unsupported::ProxyUser("alice".to_owned())));
        for (mode, master, backend) in
            [("", "", Backend::Local), ("cluster", "yarn", Backend::Yarn)]
        {
            let resolved = Backend::resolve(&conf(mode, master), Some("alice"));
            assert_eq!(resolved, Ok(backend));
        }
    }

    #[test]
    fn the_spelling_of_spark_1_names_both() {
        for (mode, master, now) in [
            ("", "yarn-client", Ok(("client", "yarn"))),
            ("client", "yarn-client", Ok(("client", "yarn"))),
            ("", "yarn-cluster", Ok(("cluster", "yarn"))),
            ("cluster", "yarn-cluster", Ok(("cluster", "yarn"))),
            ("cluster", "yarn", Ok(("cluster", "yarn"))),
            ("", "yarn", Ok(("", "yarn"))),
            ("", "", Ok(("", ""))),
            ("client", "yarn-cluster", Err(())),
            ("cluster", "yarn-client", Err(())),
        ] {
            let mut given = conf(mode, master);
            let spelt = spell_out(&mut given).map(|()| given).map_err(|_| ());
            let expected = now.map(|(mode, master)| conf(mode, master));
            assert_eq!(spelt, expected, "{mode} {master}");
        }
    }

    #[test]
    fn without_a_master_the_variable_decides_or_sparks_default() {
        for (given, variable, added) in [
            ("yarn", "spark://h:7077", "yarn"),
            ("", "spark://h:7077", "spark://h:7077"),
            ("", "", DEFAULT_MASTER),
        ] {
            let mut conf = conf("", given);
            let environment = [("MASTER".to_owned(), variable.to_owned())].into();
            add_master(&mut conf, &environment);
            assert_eq!(conf[MASTER], added);
        }
    }

    #[test]
    fn a_request_is_refused_by_what_it_says_itself() {
        assert_eq!(Backend::check(&conf("client", "local")), Ok(()));
        assert_eq!(Backend::check(&conf("cluster", "spark://h:7077")), Ok(()));
        assert_eq!(Backend::check(&conf("cluster", "")), Ok(()));
        assert_eq!(Backend::check(&conf("cluster", "yarn")), Ok(()));
        assert_eq!(Backend::check(&conf("", "yarn-cluster")), Ok(()));
        assert_eq!(Backend::check(&conf("cluster", "k8s://h")), Ok(()));
        for (mode, master, words) in [
            (
                "cluster",
                "local",
                "needs YARN, Kubernetes (k8s://…) or a standalone master",
            ),
            ("client", "yarn-cluster", "write \"yarn\" as the master"),
            (
                "Cluster",
                "spark://h:7077",
                "write \"client\" or \"cluster\"",
            ),
        ] {
            let refusal = Backend::check(&conf(mode, master)).unwrap_err().refusal();
            assert!(refusal.contains(words), "{refusal}");
        }
    }
}
