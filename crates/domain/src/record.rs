//! What is stored of a session, its driver and its statements.

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DriverId, Kind, SessionId, SessionRequest, SessionState, StatementId, StatementState};

/// A session as the store keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Its number.
    pub id: SessionId,
    /// What was asked for.
    pub request: SessionRequest,
    /// The authenticated user that created it; `None` without authentication.
    pub owner: Option<String>,
    /// The user it runs as; `None` when impersonation is off.
    pub proxy_user: Option<String>,
    /// Where it stands.
    pub state: SessionState,
    /// The Spark application, once known.
    pub app: Option<AppInfo>,
    /// The driver it runs on. Separate from the session, as one driver may come to serve several.
    pub driver: Option<DriverRecord>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was last used: a statement posted or finished, a completion, a cancel, a connect.
    pub last_activity: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What Spark tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppInfo {
    /// The resource manager's id.
    pub app_id: String,
    /// The address of the application's own pages.
    pub spark_ui_url: Option<String>,
}

/// A driver, as much of it as must survive the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverRecord {
    /// Its name.
    pub id: DriverId,
    /// Its directory: launch file, logs, exit status.
    pub dir: Utf8PathBuf,
    /// SHA-256 of its agent's secret, in hex: enough to check it, useless to a thief.
    pub token_hash: String,
    /// Its process, once started.
    pub process: Option<ProcessRecord>,
}

/// How to find a driver's supervising process again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// Process id of the supervisor.
    pub pid: i32,
    /// Its start time in clock ticks since boot, from `/proc`: pid and start time together are never used twice.
    pub start_ticks: u64,
}

/// A statement as the store keeps it, without its output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementRecord {
    /// Its session.
    pub session: SessionId,
    /// Its number there.
    pub id: StatementId,
    /// The language.
    pub kind: Kind,
    /// The text, line ends normalised to `\n`.
    pub code: String,
    /// Where it stands.
    pub state: StatementState,
}
