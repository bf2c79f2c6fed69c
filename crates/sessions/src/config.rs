//! The configuration of the application.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use livius_domain::Limits;
use livius_domain::pool::Template;
use livius_metrics::Metrics;
use livius_webhooks::Courier;

use crate::audit::Audit;
use crate::policy::Policy;

/// The decision whether a planned shutdown ends the drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShutdownPolicy {
    /// They are stopped.
    #[default]
    Stop,
    /// They live on, for as long as `limits.link_grace`, and are taken up again by the next server.
    Keep,
}

/// The local files that requests may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalFiles {
    /// Any: the server is one person's own, whose code could read them anyway.
    Any,
    /// Only files under these directories, by canonical path.
    Under(Vec<Utf8PathBuf>),
}

impl LocalFiles {
    /// Whether a request may name every file.
    pub(crate) fn are_all(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Under(directories) => directories.iter().any(|directory| directory == "/"),
        }
    }
}

/// The rules for `proxyUser` and `doAs`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Impersonation {
    /// True if drivers run as the `proxyUser` of their request.
    pub enabled: bool,
    /// Users that may impersonate anyone; `*` is everyone.
    pub superusers: Vec<String>,
}

/// The driver of the default pool is started when no session has started or worked for so long. It
/// must not compete with the user's own work.
const SETTLING: Duration = Duration::from_secs(5);

/// How long it waits for that at most.
const PATIENCE: Duration = Duration::from_mins(1);

/// The pools of drivers that wait for sessions.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// Whether there are pools.
    pub enabled: bool,
    /// The memory in bytes that waiting drivers may take. `None` is a part of what is free.
    pub memory: Option<u64>,
    /// The pools. Without any there is the default pool, for the kind of session used last.
    pub templates: Vec<Template>,
    /// How long no session may have started or worked before the default pool starts its driver.
    pub settling: Duration,
    /// How long the default pool waits for that. Then it starts its driver in any case.
    pub patience: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            memory: None,
            templates: Vec::new(),
            settling: SETTLING,
            patience: PATIENCE,
        }
    }
}

impl PoolSettings {
    /// No pools.
    pub fn off() -> Self {
        Self {
            enabled: false,
            ..Self::default()
        }
    }
}

/// How webhooks are told of an end.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// The courier, which knows the allowed URLs and the secrets.
    pub courier: Courier,
    /// How long after its first attempt a message is sent again.
    pub retry_for: Duration,
    /// The most webhooks and messages that may wait.
    pub limit: usize,
}

/// Configuration of the application, complete and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name of this server, which its drivers carry in the store.
    pub server: String,
    /// The addresses that agents connect to, as `ws://…/api/v1/agent`.
    pub agent_urls: Vec<String>,
    /// The bounds of everything.
    pub limits: Limits,
    /// Spark configuration that requests may override.
    pub spark_defaults: BTreeMap<String, String>,
    /// Spark configuration that they may not: it wins over theirs without a word, as Livy's
    /// `livy.spark.master` does.
    pub spark_overrides: BTreeMap<String, String>,
    /// Configuration keys that requests may not name.
    pub blocked_conf: Vec<String>,
    /// Further configuration keys that hold lists of files, which are checked like those of Spark
    /// that are known to.
    pub file_list_conf: Vec<String>,
    /// Rows of an SQL result at most, where the request does not say (`livy.rsc.sql.num-rows`).
    pub sql_max_rows: u64,
    /// Local files.
    pub local_files: LocalFiles,
    /// Impersonation.
    pub impersonation: Impersonation,
    /// Drivers that wait for sessions.
    pub pools: PoolSettings,
    /// Webhooks. Without this, a request that names one is refused.
    pub webhooks: Option<Webhooks>,
    /// The policy that decides the rights of callers.
    pub policy: Arc<dyn Policy>,
    /// The metrics of the server.
    pub metrics: Metrics,
    /// The audit log.
    pub audit: Audit,
}
