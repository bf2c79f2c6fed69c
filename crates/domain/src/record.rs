//! The stored records of sessions, of their statements, jobs and files, and of batches.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::AppInfo;
use crate::pool::PoolOutcome;
use crate::{
    BatchId, BatchRequest, BatchState, DriverId, JobId, JobLanguage, JobState, Kind, ResourceId,
    ResourceSource, ResourceState, ResourceUse, SessionId, SessionRequest, SessionState,
    StatementId, StatementState,
};

/// A session as the store keeps it. Clones share the request.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRecord {
    /// Its number.
    pub id: SessionId,
    /// The version of the stored row. The store refuses an update that names another version.
    pub version: u64,
    /// The request that created it.
    pub request: Arc<SessionRequest>,
    /// The authenticated user that created it; `None` without authentication.
    pub owner: Option<String>,
    /// The user it runs as; `None` when impersonation is off.
    pub proxy_user: Option<String>,
    /// Its state.
    pub state: SessionState,
    /// The Spark application, once known.
    pub app: Option<AppInfo>,
    /// The driver it runs on. The driver has its own record, because it may serve several sessions.
    pub driver: Option<DriverId>,
    /// What the pools did for it. `None` if an earlier server made it.
    pub pool: Option<Arc<PoolOutcome>>,
    /// When the request came.
    pub created_at: Timestamp,
    /// When it was last used: a statement posted or finished, a completion, a cancel, a connect.
    pub last_activity: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The last lines of its log when it ended. `None` before its end, and when they are too long to
    /// be stored.
    pub last_lines: Option<Vec<String>>,
}

/// A batch as the store keeps it. Clones share the request, which may be long.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRecord {
    /// Its number.
    pub id: BatchId,
    /// The version of the stored row. The store refuses an update that names another version.
    pub version: u64,
    /// The request that created it.
    pub request: Arc<BatchRequest>,
    /// The authenticated user that created it; `None` without authentication.
    pub owner: Option<String>,
    /// The user it runs as; `None` when impersonation is off.
    pub proxy_user: Option<String>,
    /// Its state.
    pub state: BatchState,
    /// The Spark application, once known.
    pub app: Option<AppInfo>,
    /// The driver that runs the application. It has its own record.
    pub driver: Option<DriverId>,
    /// When it came into each of its states.
    pub times: BatchTimes,
    /// The last lines of its log when it ended. `None` before its end, and when they are too long to
    /// be stored.
    pub last_lines: Option<Vec<String>>,
}

/// When a batch came into each of its states; `None` for states that it has not had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchTimes {
    /// It was asked for.
    pub created_at: Timestamp,
    /// Its turn came, and its process was about to be started.
    pub launched_at: Option<Timestamp>,
    /// Its application was heard of.
    pub running_at: Option<Timestamp>,
    /// It was asked to end.
    pub stopping_at: Option<Timestamp>,
    /// It ended.
    pub ended_at: Option<Timestamp>,
}

impl BatchTimes {
    /// The times of a new batch.
    pub fn new(created_at: Timestamp) -> Self {
        Self {
            created_at,
            launched_at: None,
            running_at: None,
            stopping_at: None,
            ended_at: None,
        }
    }
}

/// A statement as the store keeps it, without its output. Clones share the code, which may be long.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementRecord {
    /// Its session.
    pub session: SessionId,
    /// Its number there.
    pub id: StatementId,
    /// The version of the stored row. The store refuses an update that names another version.
    pub version: u64,
    /// The language.
    pub kind: Kind,
    /// The text, line ends normalised to `\n`.
    pub code: Arc<str>,
    /// Its state.
    pub state: StatementState,
}

/// A job as the store keeps it, without its bytes and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// Its session.
    pub session: SessionId,
    /// Its number there.
    pub id: JobId,
    /// The version of the stored row. The store refuses an update that names another version.
    #[serde(default)]
    pub version: u64,
    /// Its language.
    pub language: JobLanguage,
    /// Its state.
    pub state: JobState,
    /// The reason why it failed, for its author.
    pub error: Option<String>,
}

/// A file that was added to a session, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRecord {
    /// Its session.
    pub session: SessionId,
    /// Its number there.
    pub id: ResourceId,
    /// The version of the stored row. The store refuses an update that names another version.
    #[serde(default)]
    pub version: u64,
    /// Its use.
    pub used_as: ResourceUse,
    /// Its name: one component of a path.
    pub name: String,
    /// Its source.
    pub source: ResourceSource,
    /// Its progress.
    pub state: ResourceState,
}
