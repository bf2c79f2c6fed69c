//! Sessions and batches without their requests, which may be long.

use livius_domain::{AppInfo, BatchId, BatchState, SessionId, SessionState};

/// A session or a batch without its request.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary<Id, State> {
    /// Its number.
    pub id: Id,
    /// The authenticated user that created it.
    pub owner: Option<String>,
    /// The user it runs as.
    pub proxy_user: Option<String>,
    /// Its state.
    pub state: State,
    /// The Spark application, once known.
    pub app: Option<AppInfo>,
}

/// A session without its request.
pub type SessionSummary = Summary<SessionId, SessionState>;

/// A batch without its request.
pub type BatchSummary = Summary<BatchId, BatchState>;
