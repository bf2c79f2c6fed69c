//! Finds Spark, builds its command lines, and owns driver processes.
//!
//! Purpose: the only crate that starts processes. Non-goals: knowing what a session is beyond what its driver needs.

mod agent;
mod bounded;
mod command;
mod doctor;
mod driver_dir;
mod environment;
mod files;
mod find;
mod flags;
mod java;
mod java_options;
mod leftovers;
mod local;
mod managed;
mod pidfd;
mod processes;
mod properties;
mod python;
mod r;
mod setup;
mod spark;
mod spark_conf;
mod starting;
mod supervised;
mod supervisor;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use domain::{DriverId, Exit, Failure, Kind, ProcessRecord};
use secrecy::SecretString;

pub use agent::AgentError;
pub use bounded::RunError;
pub use doctor::{AgentFacts, Finding, KindFacts, Report, SparkFacts, doctor};
pub use environment::Environment;
pub use find::{FindError, Found, Search, find};
pub use flags::FlagsError;
pub use java::{Fit, Java, JavaError, Origin, fit};
pub use local::{LocalConfig, LocalLauncher};
pub use managed::{InstallError, default_spark};
pub use python::{Python, PythonError};
pub use r::{R, RError};
pub use setup::{Progress, SetupError, SetupOrder, Step, setup, verify};
pub use spark::{Installation, Jar, SparkError, Version};
pub use spark_conf::ConfError;
pub use starting::StartError;
pub use supervisor::{SuperviseError, supervise};

/// Everything needed to start a driver.
#[derive(Debug, Clone)]
pub struct DriverOrder {
    /// Its name.
    pub id: DriverId,
    /// An existing, empty directory of its own (mode 0700).
    pub dir: Utf8PathBuf,
    /// The session's kind.
    pub kind: Kind,
    /// The whole Spark configuration, merged and checked.
    pub conf: BTreeMap<String, String>,
    /// The user to impersonate.
    pub proxy_user: Option<String>,
    /// The agent's secret.
    pub token: SecretString,
    /// Where the agent connects to, as `ws://…`.
    pub servers: Vec<String>,
    /// How long the driver lives without the server.
    pub link_grace: Duration,
    /// Rows of an SQL result at most.
    pub sql_max_rows: u64,
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

    /// Finds a driver that an earlier server started: `Ok` when it still lives, else how it ended. `record` is `None` when that
    /// server died between starting the process and storing its record: what the supervisor wrote into `dir` tells then.
    async fn adopt(
        &self,
        dir: &Utf8Path,
        record: Option<&ProcessRecord>,
    ) -> Result<Box<dyn DriverProcess>, Exit>;
}
