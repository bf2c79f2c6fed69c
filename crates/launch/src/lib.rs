//! Starts drivers and owns their processes.
//!
//! Purpose: command lines, supervisors, and finding drivers again after a restart. Non-goals: finding Spark, which
//! `livius-spark-home` does, and knowing what a session is beyond what its driver needs.

#![warn(missing_docs)]

mod command;
mod driver_dir;
mod java_options;
mod leftovers;
mod local;
mod pidfd;
mod starting;
mod supervised;
mod supervisor;
mod verdict;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::{DriverId, Exit, Failure, Kind, ProcessRecord, Verdict};
use secrecy::SecretString;

pub use local::{LocalConfig, LocalLauncher};
pub use starting::StartError;
pub use supervisor::{SuperviseError, supervise};

/// Everything needed to start a driver.
#[derive(Debug, Clone)]
pub struct DriverOrder {
    /// Its name.
    pub id: DriverId,
    /// An existing directory of its own (mode 0700): empty, or with what an attempt left that [`Launcher::adopt`] calls never started.
    pub dir: Utf8PathBuf,
    /// The whole Spark configuration, merged and checked.
    pub conf: BTreeMap<String, String>,
    /// The user to impersonate.
    pub proxy_user: Option<String>,
    /// The agent's secret.
    pub token: SecretString,
    /// Where the agent connects to, as `ws://…`.
    pub servers: Vec<String>,
    /// What it runs.
    pub program: Program,
}

/// What a driver runs.
#[derive(Debug, Clone)]
pub enum Program {
    /// The agent of a session.
    Agent {
        /// The session's kind.
        kind: Kind,
        /// How long the driver lives without the server.
        link_grace: Duration,
        /// Rows of an SQL result at most.
        sql_max_rows: u64,
    },
    /// The application of a batch, with a listener of ours in it that tells when it runs.
    Application {
        /// The file with the code: an absolute path or a URI.
        file: String,
        /// The class to run, for a jar.
        class_name: Option<String>,
        /// Its arguments, handed on as they are.
        args: Vec<String>,
    },
}

/// Why there is no driver to adopt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It ran, and has ended like this; nothing of it is left.
    Ended(Exit),
    /// It is certain that no process of it was ever started. It can be launched, in the same directory.
    NeverStarted,
}

/// A started driver.
#[async_trait]
pub trait DriverProcess: Send + Sync {
    /// How to find it again after a restart of the server.
    fn record(&self) -> ProcessRecord;

    /// Waits until the driver and everything it started are gone. May be called again and by several.
    async fn exited(&self) -> Exit;

    /// Ends the driver's whole process tree: SIGTERM, the grace, SIGKILL; returns when nothing is left.
    async fn terminate(&self, grace: Duration) -> Exit;
}

/// Starts drivers.
#[async_trait]
pub trait Launcher: Send + Sync {
    /// Starts a driver. When it fails, nothing of it is left running.
    async fn launch(&self, order: DriverOrder) -> Result<Box<dyn DriverProcess>, Failure>;

    /// Finds a driver that an earlier server started: `Ok` when it still lives, else what became of it. `record` is `None` when that
    /// server died between starting the process and storing its record: what the supervisor wrote into `dir` tells then.
    async fn adopt(
        &self,
        dir: &Utf8Path,
        record: Option<&ProcessRecord>,
    ) -> Result<Box<dyn DriverProcess>, Gone>;

    /// What the resource manager said of a driver that ran there, and whose process in `dir` is gone. `None` when the process was the
    /// driver itself, or ended before the manager knew of one.
    async fn verdict(&self, dir: &Utf8Path) -> Option<Verdict>;
}
