//! Starts drivers, finds them again, and keeps their files.
//!
//! Purpose: the only crate that knows where a driver runs and where its log and its uploads are.
//! Non-goals: finding Spark, which `livius-spark-home` does, and knowing what a session is beyond
//! what its driver needs.

#![warn(missing_docs)]

mod archive_maker;
mod backend;
mod command;
#[cfg(feature = "testing")]
pub mod conformance;
mod disk;
mod driver_dir;
mod driver_files;
mod evidence;
mod executor_log;
mod executors;
mod exit_record;
mod fast_start;
mod file_content;
mod fingerprint;
mod growth;
mod java_options;
mod kubernetes;
mod launch_error;
mod leftovers;
mod local;
mod local_files;
mod location;
mod log;
mod managers;
mod memory;
mod oom_kills;
pub mod orphans;
mod pidfd;
mod place;
mod remote;
mod running;
mod starting;
mod supervised;
mod supervisor;
mod verdict;
mod yarn;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use livius_domain::{DriverId, DriverLocation, Failure, Kind};
use secrecy::SecretString;
use serde_json::{Map, Value};

pub use backend::{Backend, Unsupported};
pub use command::LaunchPreview;
pub use driver_files::{DriverFiles, LogLines, LogNews, LogPlace, LogSource, PendingUpload};
pub use executors::{Executor, ExecutorLogLimits, ExecutorState};
pub use fast_start::Jit;
pub use file_content::FileContent;
pub use growth::Grown;
pub use kubernetes::{KubernetesLimits, KubernetesRefusal, SparkPages, kubernetes_access};
pub use local::{LocalConfig, LocalLauncher};
pub use local_files::{LocalFiles, empty_log};
pub use remote::Spawn;
pub use running::{Found, RunningDriver, Sighting};
pub use starting::StartError;
pub use supervisor::{SuperviseError, supervise};

/// Everything needed to start a driver.
#[derive(Debug, Clone)]
pub struct DriverOrder {
    /// Its name.
    pub id: DriverId,
    /// The whole Spark configuration, merged and checked.
    pub conf: BTreeMap<String, String>,
    /// The user to impersonate.
    pub proxy_user: Option<String>,
    /// The agent's secret.
    pub token: SecretString,
    /// The addresses that the agent connects to, as `ws://…`.
    pub servers: Vec<String>,
    /// Its program.
    pub program: Program,
}

/// The program of a driver.
#[derive(Debug, Clone)]
pub enum Program {
    /// The agent of a session.
    Agent {
        /// The session's kind.
        kind: Kind,
        /// How far the driver starts before it has a session.
        start: Start,
        /// The time that the driver lives without the server.
        link_grace: Duration,
        /// How long cancelled code has to end before the agent ends it by force.
        cancel_grace: Duration,
        /// Rows of an SQL result at most.
        sql_max_rows: u64,
    },
    /// The application of a batch. A Spark listener of ours in it reports when it runs.
    Application {
        /// The file with the code: an absolute path or a URI.
        file: String,
        /// The class to run, for a jar.
        class_name: Option<String>,
        /// Its arguments, passed on unchanged.
        args: Vec<String>,
    },
}

/// How far an agent brings its driver up by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// To the SparkContext and the interpreter.
    #[default]
    Session,
    /// Also through a small job, so that the session's first job is as fast as its second.
    Warm,
    /// To a warm JVM without a SparkContext, which waits to be told the configuration.
    Primed,
}

impl Start {
    /// The name in the launch document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Warm => "warm",
            Self::Primed => "primed",
        }
    }
}

/// What a primed driver is told when a session takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateStart {
    /// The keys of the launch document that the session may have its own way.
    pub document: Map<String, Value>,
    /// The whole Spark configuration, with the installation's defaults.
    pub conf: BTreeMap<String, String>,
}

/// The options that decide the place of a driver, without the Spark installation's own defaults.
#[derive(Debug, Clone, Copy)]
pub struct DriverSpec<'a> {
    /// The Spark configuration, as far as the server knows it.
    pub conf: &'a BTreeMap<String, String>,
}

/// Starts drivers and finds them again.
#[async_trait]
pub trait Launcher: Send + Sync {
    /// Refuses a master or a deploy mode that cannot be served. Clients get this answer at once;
    /// [`Launcher::launch`] judges again, with the installation's defaults.
    fn check(&self, spec: &DriverSpec<'_>) -> Result<(), Unsupported>;

    /// Refuses new drivers and uploads while the disk that they need is nearly full.
    fn check_room(&self) -> std::io::Result<()>;

    /// Starts a driver. When it fails, nothing of the driver is left running.
    async fn launch(&self, order: DriverOrder) -> Result<Arc<dyn RunningDriver>, Failure>;

    /// Works out what a primed driver is told for an order. The order must fit the driver: nothing
    /// here changes the flags of its JVM.
    async fn late_start(&self, order: DriverOrder) -> Result<LateStart, Failure>;

    /// Works out what would be started for an order, and starts nothing.
    async fn preview(&self, order: DriverOrder) -> Result<LaunchPreview, Failure>;

    /// A text that changes when the part of a driver's configuration changes that the server does not
    /// know: Spark itself, its configuration files, the environment.
    async fn fingerprint(&self) -> Result<String, Failure>;

    /// The memory in bytes that is free for drivers on this machine. `None` if nothing tells.
    fn free_memory(&self) -> Option<u64>;

    /// Finds a driver that an earlier server started. `at` is `None` when that server died before
    /// it stored the location: the driver's files tell then.
    async fn find(&self, id: &DriverId, at: Option<&DriverLocation>) -> Found;

    /// Lists the drivers that have files.
    async fn with_files(&self) -> io::Result<Vec<DriverId>>;

    /// Lists the drivers of which a process runs on this machine, whether or not they have files.
    async fn running_here(&self) -> io::Result<Vec<DriverId>>;

    /// Ends everything on this machine of a driver that no record names. Returns when no process is left.
    async fn end_here(&self, id: &DriverId) -> io::Result<()>;

    /// Lists the drivers of which a cluster has something that this server has made, whether or not
    /// they have files. A cluster that does not answer has none for now.
    async fn on_clusters(&self) -> io::Result<Vec<DriverId>> {
        Ok(Vec::new())
    }

    /// Ends everything that clusters have of a driver that no record names. Returns when the clusters
    /// have taken the requests.
    async fn reap(&self, _id: &DriverId) -> io::Result<()> {
        Ok(())
    }

    /// The files of a driver: before, while and after it runs.
    fn files(&self, id: &DriverId) -> Arc<dyn DriverFiles>;
}
