//! The addresses of a cluster, from Hadoop's configuration files.

mod properties;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use reqwest::Url;

use self::properties::{Properties, PropertiesError};

/// The files that have properties of YARN. A later file overrides an earlier one.
const FILES: [&str; 2] = ["core-site.xml", "yarn-site.xml"];

/// The most ResourceManagers of one cluster. Hadoop's documents speak of two, or a few more.
const MOST_MANAGERS: usize = 16;

/// The path of the pages of a JobHistoryServer for logs, and of its REST interface.
const HISTORY_PAGES: &str = "/jobhistory/logs";
const HISTORY_REST: &str = "/ws/v1/history";

/// The addresses of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    managers: Vec<Url>,
    log_server: Option<Url>,
    scheme: Scheme,
}

/// The protocol of all web servers of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// There are no files of YARN.
    #[error("no yarn-site.xml in {}", listed(.dirs))]
    Missing {
        /// The directories.
        dirs: Vec<Utf8PathBuf>,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file is not one of Hadoop's.
    #[error("{path} is not a configuration file of Hadoop: {problem}")]
    Malformed {
        /// The file.
        path: Utf8PathBuf,
        /// The problem.
        problem: String,
    },
    /// A property is missing.
    #[error("{key} is not set")]
    Unset {
        /// The property.
        key: String,
    },
    /// A property has a value that cannot be used.
    #[error("{key} has the value {value:?}, which {problem}")]
    Value {
        /// The property.
        key: String,
        /// Its value.
        value: String,
        /// The problem, as the rest of a sentence.
        problem: &'static str,
    },
}

fn listed(dirs: &[Utf8PathBuf]) -> String {
    if dirs.is_empty() {
        return "any directory, because neither HADOOP_CONF_DIR nor YARN_CONF_DIR is set"
            .to_owned();
    }
    let names: Vec<&str> = dirs.iter().map(|dir| dir.as_str()).collect();
    names.join(" or ")
}

impl Site {
    /// Reads the directories that `HADOOP_CONF_DIR` and `YARN_CONF_DIR` name, in this order. As on a
    /// class path, the first directory that has a file provides it. Blocks on the disk.
    pub fn read(dirs: &[Utf8PathBuf]) -> Result<Self, SiteError> {
        let mut properties = Properties::default();
        let mut found = None;
        for name in FILES {
            found = read_first(dirs, name, &mut properties)?;
        }
        // The last of the files is YARN's own. Without it, every address would be a default.
        if found.is_none() {
            let dirs = dirs.to_vec();
            return Err(SiteError::Missing { dirs });
        }
        Self::of(&properties)
    }

    fn of(properties: &Properties) -> Result<Self, SiteError> {
        let scheme = scheme(properties)?;
        Ok(Self {
            managers: managers(properties, scheme)?,
            log_server: log_server(properties)?,
            scheme,
        })
    }

    /// The web addresses of the ResourceManagers: one, or several with high availability.
    pub(crate) fn managers(&self) -> &[Url] {
        &self.managers
    }

    /// The REST interface that has the logs of ended applications, if the cluster has one.
    pub(crate) fn log_server(&self) -> Option<&Url> {
        self.log_server.as_ref()
    }

    /// The address of a NodeManager's web server, which the ResourceManager tells as host and port.
    /// `None` if that is no such text.
    pub(crate) fn node(&self, host_and_port: &str) -> Option<Url> {
        self.scheme.url(host_and_port)
    }
}

impl Scheme {
    fn url(self, host_and_port: &str) -> Option<Url> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        if !host_and_port.chars().all(allowed) {
            return None;
        }
        let name = match self {
            Self::Http => "http",
            Self::Https => "https",
        };
        Url::parse(&format!("{name}://{host_and_port}/")).ok()
    }

    /// The property of a ResourceManager's address, and its default port.
    fn manager_key(self) -> (&'static str, u16) {
        match self {
            Self::Http => ("yarn.resourcemanager.webapp.address", 8088),
            Self::Https => ("yarn.resourcemanager.webapp.https.address", 8090),
        }
    }
}

/// Reads a file from the first directory that has it.
fn read_first<'a>(
    dirs: &'a [Utf8PathBuf],
    name: &str,
    into: &mut Properties,
) -> Result<Option<&'a Utf8Path>, SiteError> {
    for dir in dirs {
        let path = dir.join(name);
        match into.read(&path) {
            Ok(()) => return Ok(Some(dir)),
            Err(PropertiesError::Read(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(PropertiesError::Read(source)) => return Err(SiteError::Read { path, source }),
            Err(PropertiesError::Malformed(problem)) => {
                return Err(SiteError::Malformed { path, problem });
            }
        }
    }
    Ok(None)
}

fn scheme(properties: &Properties) -> Result<Scheme, SiteError> {
    let key = "yarn.http.policy";
    match properties.get(key).as_deref() {
        None | Some("HTTP_ONLY") => Ok(Scheme::Http),
        Some("HTTPS_ONLY") => Ok(Scheme::Https),
        Some(value) => Err(unusable(key, value, "YARN does not know")),
    }
}

fn managers(properties: &Properties, scheme: Scheme) -> Result<Vec<Url>, SiteError> {
    if properties.get("yarn.resourcemanager.ha.enabled").as_deref() != Some("true") {
        return Ok(vec![manager(properties, scheme, "")?]);
    }
    let key = "yarn.resourcemanager.ha.rm-ids";
    let Some(value) = properties.get(key) else {
        let key = key.to_owned();
        return Err(SiteError::Unset { key });
    };
    let ids: Vec<&str> = value.split(',').map(str::trim).collect();
    if ids.iter().any(|id| id.is_empty()) {
        return Err(unusable(key, &value, "is no list of ids"));
    }
    if ids.len() > MOST_MANAGERS {
        return Err(unusable(key, &value, "names too many ResourceManagers"));
    }
    ids.iter()
        .map(|id| manager(properties, scheme, &format!(".{id}")))
        .collect()
}

/// The address of one ResourceManager. Its properties end with a suffix if there are several.
fn manager(properties: &Properties, scheme: Scheme, suffix: &str) -> Result<Url, SiteError> {
    let (key, port) = scheme.manager_key();
    let (key, host_key) = (
        format!("{key}{suffix}"),
        format!("yarn.resourcemanager.hostname{suffix}"),
    );
    let (key, value) = match (properties.get(&key), properties.get(&host_key)) {
        (Some(address), _) => (key, with_port(&address, port)),
        (None, Some(host)) => (host_key, with_port(&host, port)),
        (None, None) if suffix.is_empty() => (key, format!("0.0.0.0:{port}")),
        (None, None) => return Err(SiteError::Unset { key }),
    };
    // A server listens on the wildcard; a client cannot connect to it everywhere.
    let reachable = match value.strip_prefix("0.0.0.0:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => value.clone(),
    };
    let url = scheme.url(&reachable);
    url.ok_or_else(|| unusable(&key, &value, "is no host with a port"))
}

fn with_port(address: &str, port: u16) -> String {
    // An IPv6 address is in brackets if a port follows.
    let has_port = address
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    if has_port {
        address.to_owned()
    } else {
        format!("{address}:{port}")
    }
}

fn log_server(properties: &Properties) -> Result<Option<Url>, SiteError> {
    // Clusters with MapReduce name its server also if it gets no logs.
    let aggregates = properties.get("yarn.log-aggregation-enable");
    if aggregates.is_some_and(|value| value.trim() == "false") {
        return Ok(None);
    }
    let key = "yarn.log.server.web-service.url";
    if let Some(value) = properties.get(key) {
        // The value may hold a password, so the message leaves out what is before the host.
        let shown = value.rsplit('@').next().unwrap_or_default();
        let url = web_url(&value);
        let url = url.ok_or_else(|| unusable(key, shown, "is no plain http address"))?;
        return Ok(Some(url));
    }
    // Clusters with MapReduce name the pages of its JobHistoryServer, which also has an interface.
    let pages = properties
        .get("yarn.log.server.url")
        .and_then(|value| web_url(&value));
    Ok(pages
        .filter(|url| url.path().trim_end_matches('/') == HISTORY_PAGES)
        .map(|mut url| {
            url.set_path(HISTORY_REST);
            url
        }))
}

fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_web = ["http", "https"].contains(&url.scheme()) && url.has_host();
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    (is_web && is_plain).then_some(url)
}

fn unusable(key: &str, value: &str, problem: &'static str) -> SiteError {
    SiteError::Value {
        key: key.to_owned(),
        value: value.to_owned(),
        problem,
    }
}

#[cfg(test)]
#[path = "site/tests.rs"]
mod tests;
