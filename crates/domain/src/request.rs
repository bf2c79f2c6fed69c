//! What a client asked for when it created a session, after checking.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Kind;

/// A checked request for a session. Texts are as the client sent them: paths are resolved at launch, secrets are hidden when shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionRequest {
    /// Default kind of its statements.
    pub kind: Kind,
    /// User to impersonate, as asked for (the record holds the effective one).
    pub proxy_user: Option<String>,
    /// Jars for the driver and the executors.
    pub jars: Vec<String>,
    /// Python files.
    pub py_files: Vec<String>,
    /// Files for the executors' working directories.
    pub files: Vec<String>,
    /// Archives to be unpacked there.
    pub archives: Vec<String>,
    /// Spark's size syntax, such as `2g`.
    pub driver_memory: Option<String>,
    /// A count.
    pub driver_cores: Option<u32>,
    /// Spark's size syntax.
    pub executor_memory: Option<String>,
    /// A count.
    pub executor_cores: Option<u32>,
    /// A count.
    pub num_executors: Option<u32>,
    /// Queue of the resource manager.
    pub queue: Option<String>,
    /// Name of the session, unique among those that have not ended.
    pub name: Option<String>,
    /// Spark configuration.
    pub conf: BTreeMap<String, String>,
    /// 0 is off.
    pub heartbeat_timeout_seconds: u32,
    /// Longest life, as the client wrote it.
    pub ttl: Option<String>,
    /// Longest idleness, as the client wrote it.
    pub idle_timeout: Option<String>,
}

impl Default for SessionRequest {
    fn default() -> Self {
        Self {
            kind: Kind::Shared,
            proxy_user: None,
            jars: Vec::new(),
            py_files: Vec::new(),
            files: Vec::new(),
            archives: Vec::new(),
            driver_memory: None,
            driver_cores: None,
            executor_memory: None,
            executor_cores: None,
            num_executors: None,
            queue: None,
            name: None,
            conf: BTreeMap::new(),
            heartbeat_timeout_seconds: 0,
            ttl: None,
            idle_timeout: None,
        }
    }
}

impl SessionRequest {
    /// How long without requests before the session is given up; `None` when the client did not ask for it.
    pub fn heartbeat_timeout(&self) -> Option<Duration> {
        (self.heartbeat_timeout_seconds > 0)
            .then(|| Duration::from_secs(self.heartbeat_timeout_seconds.into()))
    }
}
