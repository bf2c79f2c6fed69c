//! The views that the HTTP edge gets.

use std::fmt;
use std::sync::Arc;

use livius_domain::batch::BatchStart;
use livius_domain::{
    AppInfo, BatchId, BatchRecord, BatchState, JobRecord, ResourceUse, SessionId, SessionRecord,
    SessionState, StatementRecord,
};

use crate::mailbox::Ends;

/// The reference to a session or batch in a path: all digits are an id, any other text is a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ref<Id> {
    /// By number.
    Id(Id),
    /// By name, exact.
    Name(String),
}

/// The reference to a session.
pub type SessionRef = Ref<SessionId>;

/// The reference to a batch.
pub type BatchRef = Ref<BatchId>;

impl<Id: fmt::Display> fmt::Display for Ref<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A session at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionView {
    /// Its record in the store.
    pub record: SessionRecord,
    /// True if statements run or wait.
    pub busy: bool,
    /// True if the server waits to hear of the driver's agent: it was restarted, or the agent stays
    /// away.
    pub recovering: bool,
}

impl Ends for SessionView {
    fn has_ended(&self) -> bool {
        self.record.state.is_ended()
    }
}

/// A batch at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchView {
    /// Its record in the store.
    pub record: BatchRecord,
    /// The progress of its start. `None` when it does not start any more.
    pub step: Option<BatchStart>,
}

/// The state of a session at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionStatus {
    /// Its state.
    pub state: SessionState,
    /// True if statements run or wait.
    pub busy: bool,
    /// True if the server waits to hear of the driver's agent.
    pub recovering: bool,
    /// The Spark application, once known.
    pub app: Option<AppInfo>,
}

impl SessionView {
    /// Its state.
    pub fn status(&self) -> SessionStatus {
        SessionStatus {
            state: self.record.state.clone(),
            busy: self.busy,
            recovering: self.recovering,
            app: self.record.app.clone(),
        }
    }

    /// Whether another view has the same state.
    pub fn is_alike(&self, other: &Self) -> bool {
        self.busy == other.busy
            && self.recovering == other.recovering
            && self.record.state == other.record.state
            && self.record.app == other.record.app
    }
}

impl BatchView {
    /// Its state.
    pub fn status(&self) -> BatchStatus {
        BatchStatus {
            state: self.record.state.clone(),
            app: self.record.app.clone(),
        }
    }

    /// Whether another view has the same state.
    pub fn is_alike(&self, other: &Self) -> bool {
        self.record.state == other.record.state && self.record.app == other.record.app
    }
}

/// The state of a batch at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchStatus {
    /// Its state.
    pub state: BatchState,
    /// The Spark application, once known.
    pub app: Option<AppInfo>,
}

impl Ends for BatchView {
    fn has_ended(&self) -> bool {
        self.record.state.is_ended()
    }
}

/// A statement at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementView {
    /// All but the output.
    pub record: StatementRecord,
    /// The output.
    pub output: OutputView,
    /// 0.0 to 1.0.
    pub progress: f64,
}

/// A statement's output: a JSON document as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputView {
    /// There is none (yet).
    None,
    /// Here it is.
    Inline(Arc<str>),
    /// It is long: read it piece by piece with [`crate::Sessions::output_chunk`].
    Chunked {
        /// The number of pieces.
        chunks: u32,
        /// The length of all of them, in bytes.
        bytes: u64,
    },
}

/// A page of the log of a session or a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The number of the session or batch.
    pub id: i32,
    /// Index of the first line.
    pub from: i64,
    /// The number of lines in all.
    pub total: u64,
    /// The lines.
    pub lines: Vec<String>,
}

/// A job at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// All but its bytes and its result.
    pub record: JobRecord,
    /// The result in base64; long ones are read with [`crate::Sessions::job_chunk`].
    pub result: OutputView,
}

/// A file that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// Its use.
    pub used_as: ResourceUse,
    /// Its name: one component of a path.
    pub name: String,
}
