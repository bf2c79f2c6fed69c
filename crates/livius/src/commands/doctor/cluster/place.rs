//! The master and the deploy mode, from the command line and the configuration.

use std::collections::BTreeMap;

use serde::Serialize;

const MASTER: &str = "spark.master";
const DEPLOY_MODE: &str = "spark.submit.deployMode";

/// The kind of cluster that a master names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This machine.
    Local,
    /// YARN, whose addresses are in Hadoop's files.
    Yarn,
    /// The masters of a standalone cluster, as host and port.
    Standalone(Vec<String>),
    /// The API server of a Kubernetes cluster, as the master names it.
    Kubernetes(String),
    /// None that Livius knows.
    Unknown,
}

/// The place of drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// This machine.
    Client,
    /// The cluster.
    Cluster,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Cluster => "cluster",
        }
    }
}

/// The master: the named one, the configuration's, or Spark's default.
pub fn master<'a>(named: Option<&'a str>, conf: &'a BTreeMap<String, String>) -> &'a str {
    let configured = conf.get(MASTER).map(String::as_str);
    named.or(configured).unwrap_or("local[*]")
}

impl Place {
    /// The place of drivers, and their mode.
    pub fn of(named: Option<&str>, conf: &BTreeMap<String, String>) -> (Self, Mode) {
        let configured = match conf.get(DEPLOY_MODE).map(String::as_str) {
            Some("cluster") => Mode::Cluster,
            _ => Mode::Client,
        };
        match master(named, conf) {
            "yarn" => (Self::Yarn, configured),
            "yarn-client" => (Self::Yarn, Mode::Client),
            "yarn-cluster" => (Self::Yarn, Mode::Cluster),
            "local" => (Self::Local, Mode::Client),
            local if local.starts_with("local[") => (Self::Local, Mode::Client),
            other => (Self::at(other), configured),
        }
    }

    fn at(url: &str) -> Self {
        if url.starts_with("k8s://") {
            return Self::Kubernetes(url.to_owned());
        }
        let Some(list) = url.strip_prefix("spark://") else {
            return Self::Unknown;
        };
        let masters: Vec<String> = list.split(',').map(str::to_owned).collect();
        if masters.iter().all(|master| has_host_and_port(master)) {
            Self::Standalone(masters)
        } else {
            Self::Unknown
        }
    }
}

fn has_host_and_port(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(master: &str, mode: &str) -> BTreeMap<String, String> {
        let pairs = [(MASTER, master), (DEPLOY_MODE, mode)].into_iter();
        let given = pairs.filter(|(_, value)| !value.is_empty());
        given
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn the_named_master_or_the_configured_one_names_a_place() {
        let standalone = |masters: &[&str]| {
            Place::Standalone(masters.iter().map(|one| (*one).to_owned()).collect())
        };
        for (named, configured, mode, expected) in [
            (None, "", "", (Place::Local, Mode::Client)),
            (None, "local[2]", "", (Place::Local, Mode::Client)),
            (Some("local"), "yarn", "", (Place::Local, Mode::Client)),
            (None, "yarn", "", (Place::Yarn, Mode::Client)),
            (None, "yarn", "cluster", (Place::Yarn, Mode::Cluster)),
            (Some("yarn"), "", "cluster", (Place::Yarn, Mode::Cluster)),
            (Some("yarn-cluster"), "", "", (Place::Yarn, Mode::Cluster)),
            (None, "yarn-client", "", (Place::Yarn, Mode::Client)),
            (
                Some("spark://a:7077,b:7078"),
                "",
                "cluster",
                (standalone(&["a:7077", "b:7078"]), Mode::Cluster),
            ),
            (
                Some("k8s://https://h:6443"),
                "",
                "cluster",
                (
                    Place::Kubernetes("k8s://https://h:6443".to_owned()),
                    Mode::Cluster,
                ),
            ),
            (Some("spark://a"), "", "", (Place::Unknown, Mode::Client)),
            (Some("spark://a:x"), "", "", (Place::Unknown, Mode::Client)),
            (Some("mesos://a:1"), "", "", (Place::Unknown, Mode::Client)),
        ] {
            let conf = conf(configured, mode);
            assert_eq!(Place::of(named, &conf), expected, "{named:?} {conf:?}");
        }
    }
}
