//! The configuration of the application.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use livius_domain::Limits;

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
    /// The policy that decides the rights of callers.
    pub policy: Arc<dyn Policy>,
}
