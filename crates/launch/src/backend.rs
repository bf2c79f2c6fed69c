//! The kind of place that a driver runs in. This module is the only judge of master and deploy
//! mode.

use std::collections::BTreeMap;

const DEPLOY_MODE: &str = "spark.submit.deployMode";
const MASTER: &str = "spark.master";
/// Spark's master when none is named.
const DEFAULT_MASTER: &str = "local[*]";

/// The kind of place that drivers run in. Each resource manager has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A process of this machine, whatever master its executors come from.
    Local,
    /// A worker of a standalone cluster. A process of this machine follows the driver there.
    Standalone,
}

/// The reason why no backend takes a driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// There is no such mode.
    #[error("understand spark.submit.deployMode={0}: write client or cluster")]
    DeployMode(String),
    /// The server could not learn how the driver ends.
    #[error(
        "start a driver in cluster mode at {0}: only a standalone master (spark://…) can be asked about its drivers; leave \
         spark.submit.deployMode out to have the driver run beside the server"
    )]
    Master(String),
    /// The driver would run as another user.
    #[error(
        "start a driver as {0} in cluster mode: the workers of a standalone cluster run drivers as their own user"
    )]
    ProxyUser(String),
}

impl Unsupported {
    /// The message for a client whose request asks for it.
    pub fn refusal(&self) -> String {
        match self {
            Self::DeployMode(mode) => {
                format!("conf.{DEPLOY_MODE} is {mode:?}: write \"client\" or \"cluster\"")
            }
            Self::Master(master) => format!(
                "conf.{DEPLOY_MODE} is \"cluster\" and {MASTER} is {master:?}: cluster mode needs a standalone master (spark://…); \
                 leave it out to run in client mode"
            ),
            Self::ProxyUser(_) => format!("cannot {self}"),
        }
    }
}

impl Backend {
    /// Judges what a request asks for. An installation's defaults may still name a master where the
    /// request names none, so that passes.
    pub fn check(conf: &BTreeMap<String, String>) -> Result<(), Unsupported> {
        let master = conf.get(MASTER).map(String::as_str);
        if in_cluster(conf)? {
            master.map_or(Ok(Self::Standalone), of_cluster_master)?;
        }
        Ok(())
    }

    /// Picks the backend for a complete configuration.
    pub(crate) fn resolve(
        conf: &BTreeMap<String, String>,
        proxy_user: Option<&str>,
    ) -> Result<Self, Unsupported> {
        if !in_cluster(conf)? {
            return Ok(Self::Local);
        }
        let backend = of_cluster_master(master(conf))?;
        match proxy_user {
            Some(user) => Err(Unsupported::ProxyUser(user.to_owned())),
            None => Ok(backend),
        }
    }
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
            (
                "cluster",
                "yarn",
                Err(Unsupported::Master("yarn".to_owned())),
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
        assert_eq!(
            Backend::resolve(&conf("", ""), Some("alice")),
            Ok(Backend::Local)
        );
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
        for (mode, master, words) in [
            ("cluster", "local", "needs a standalone master"),
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
