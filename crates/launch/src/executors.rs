//! The executors of a driver on a cluster: which there were, and the room for their logs.
//!
//! `executors.json` of the driver's directory has the names. `executors/<name>/` has a log that is
//! kept. `docs/adr/0029-the-logs-of-executors-are-kept-in-part.md` has the reasons.

mod register;
mod roster;
mod shelf;

pub(crate) use self::register::{Entry, Register};
pub(crate) use self::roster::{Known, Roster};
pub(crate) use self::shelf::{Shelf, Wish, kept};

use serde::{Deserialize, Serialize};

/// An executor of a driver on a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executor {
    /// The name of its container on YARN, or of its pod on Kubernetes.
    pub name: String,
    /// The node that it runs on, or ran on, as the cluster names it.
    pub node: Option<String>,
    /// Its state.
    pub state: ExecutorState,
    /// Whether its log can be read.
    pub has_log: bool,
}

/// The state of an executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutorState {
    /// It waits for its place, or for its start.
    Waiting,
    /// It runs.
    Running,
    /// It has ended.
    Ended,
}

impl ExecutorState {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Ended => "ended",
        }
    }
}

/// How much is kept of the logs of a driver's executors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutorLogLimits {
    /// The executors of each driver whose logs are kept.
    pub most: usize,
    /// The most bytes of each output of an executor.
    pub bytes: u64,
}
