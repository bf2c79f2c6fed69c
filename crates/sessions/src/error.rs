//! The reasons why the application refuses.

use livius_domain::name::InvalidName;
use livius_domain::{JobId, SessionId, SessionState};
use livius_store::StoreError;

use crate::action::Action;

/// The kind of an error, whatever its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such thing.
    NotFound,
    /// The request is understood and refused.
    Rejected,
    /// The session is not in a state for it.
    Conflict,
    /// The caller may not.
    Forbidden,
    /// Too much at once.
    Overloaded,
    /// Our fault.
    Internal,
}

/// A refusal. It states facts; the edge has the words that clients of an interface expect.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No listed session is called that.
    #[error("there is no session or batch {0}")]
    NotFound(String),
    /// The session has no such statement.
    #[error("the session has no such statement")]
    StatementNotFound,
    /// The session has no such job.
    #[error("the session has no job {0}")]
    JobNotFound(JobId),
    /// The session or batch has no such executor, or nothing of its log.
    #[error("there is no such executor, or its log is not kept")]
    ExecutorLogNotFound,
    /// The request for a session or a batch is refused, for this reason.
    #[error("{0}")]
    Rejected(String),
    /// The request names a session or a batch in a way that is not allowed.
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    /// Another session or batch has the name.
    #[error("the name {name} is taken")]
    DuplicateName {
        /// The name.
        name: String,
        /// The number that the new session or batch would have had.
        attempted: i32,
    },
    /// The request sets configuration keys that it may not set.
    #[error("these configuration keys may not be set: {}", .0.join(", "))]
    BlockedConf(Vec<String>),
    /// The request names a local file by a path that is not absolute.
    #[error("the path {0} is not absolute")]
    RelativePath(String),
    /// The request names a local file outside of the directories that requests may use.
    #[error("Local path {0} cannot be added to user sessions.")]
    FileNotAllowed(String),
    /// As many sessions live as may.
    #[error("as many sessions are open as the server allows")]
    TooManySessions,
    /// As many batches wait for their turn as may.
    #[error("{limit} batches are waiting for their turn already; try again when some have run")]
    TooManyBatches {
        /// The limit.
        limit: usize,
    },
    /// The batches that have not ended have as long requests as they may.
    #[error(
        "the requests of the batches that have not ended would exceed {limit} bytes (batches.requests_limit); try again when some have ended"
    )]
    TooLongBatches {
        /// The limit, in bytes.
        limit: usize,
    },
    /// As many statements wait as may.
    #[error(
        "session {session} already has {limit} statements waiting; try again when some have run"
    )]
    TooManyStatements {
        /// The session.
        session: SessionId,
        /// The limit.
        limit: usize,
    },
    /// As much code waits as may.
    #[error(
        "session {session} already has {limit} bytes of code waiting; try again when some has run"
    )]
    TooMuchCode {
        /// The session.
        session: SessionId,
        /// The limit, in bytes.
        limit: usize,
    },
    /// As much code waits in all sessions as may.
    #[error(
        "the sessions of this server already have {limit} bytes of code waiting (sessions.max_waiting_code); try again when some has run"
    )]
    TooMuchCodeOfAll {
        /// The limit, in bytes.
        limit: usize,
    },
    /// As many jobs are unfinished as may.
    #[error("session {session} already has {limit} jobs; try again when some have ended")]
    TooManyJobs {
        /// The session.
        session: SessionId,
        /// The limit.
        limit: usize,
    },
    /// As many files are on their way to the driver as may.
    #[error(
        "session {session} already has {limit} files on their way to its driver; try again when it has taken some"
    )]
    TooManyResources {
        /// The session.
        session: SessionId,
        /// The limit.
        limit: usize,
    },
    /// A file may not be added to the session, or its driver cannot add it.
    #[error("{0}")]
    ResourceRefused(String),
    /// The session does not take statements (any more).
    #[error("the session is not active ({})", .0.name())]
    NotActive(Box<SessionState>),
    /// As many webhooks are asked for or wait as may.
    #[error(
        "{limit} webhooks wait already (webhooks.max_waiting); try again when some have been told"
    )]
    TooManyWebhooks {
        /// The limit.
        limit: usize,
    },
    /// The code, or a job, cannot be taken.
    #[error("{0}")]
    InvalidStatement(String),
    /// A statement names the kind `shared`, which no code has.
    #[error("a statement cannot be of the kind shared")]
    SharedStatement,
    /// A statement names no kind, and its session has none.
    #[error("the session has no kind, so the statement must name one")]
    StatementNeedsKind,
    /// A completion names no kind, and its session has none.
    #[error("the session has no kind, so the completion must name one")]
    CompletionNeedsKind,
    /// The caller may not run as that user.
    #[error("the user {caller} may not run as {target}")]
    Impersonation {
        /// The user that asked.
        caller: String,
        /// As whom.
        target: String,
    },
    /// The policy does not let the caller do this.
    #[error("User '{}' is not allowed to {action} {name}", user.as_deref().unwrap_or("anonymous"))]
    Forbidden {
        /// The authenticated user.
        user: Option<String>,
        /// The action that the caller asked for.
        action: Action,
        /// The name or number that the caller used.
        name: String,
    },
    /// A request with the same key is being worked on.
    #[error("a request with the same Idempotency-Key is being worked on; try again")]
    KeyInUse,
    /// The disk that drivers need is nearly full.
    #[error("start a driver")]
    NoRoom(#[source] std::io::Error),
    /// The server is stopping.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The store failed.
    #[error("use the store")]
    Store(#[from] StoreError),
    /// The session's log cannot be read.
    #[error("read the session's log")]
    Log(#[source] std::io::Error),
    /// An uploaded file cannot be kept.
    #[error("keep an uploaded file")]
    Upload(#[source] std::io::Error),
    /// A job's event that cannot be: a bug.
    #[error(transparent)]
    JobTransition(#[from] livius_domain::job::IllegalJobTransition),
    /// A statement's event that cannot be: a bug.
    #[error(transparent)]
    Transition(#[from] livius_domain::statement::IllegalStatementTransition),
}

impl SessionError {
    /// Tells why something could not be created. Another request may have taken its key.
    pub(crate) fn not_created(error: StoreError) -> Self {
        match error {
            StoreError::DuplicateName { name, attempted } => {
                Self::DuplicateName { name, attempted }
            }
            StoreError::KeyTaken => Self::KeyInUse,
            other => Self::Store(other),
        }
    }

    /// The refusal of a session in this state.
    pub(crate) fn not_active(state: &SessionState) -> Self {
        Self::NotActive(Box::new(state.clone()))
    }

    /// Tells whether the row has changed since it was read: it has another owner now.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict { .. }))
    }

    /// The name of this error, for programs.
    pub fn code(&self) -> &'static str {
        match (self, self.kind()) {
            (Self::ShuttingDown, _) => "shutting_down",
            (Self::KeyInUse, _) => "key_in_use",
            (Self::NotActive(_), _) => "not_active",
            (_, ErrorKind::NotFound) => "not_found",
            (_, ErrorKind::Rejected) => "rejected",
            (_, ErrorKind::Conflict) => "conflict",
            (_, ErrorKind::Forbidden) => "forbidden",
            (_, ErrorKind::Overloaded) => "overloaded",
            (_, ErrorKind::Internal) => "internal",
        }
    }

    /// The kind of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_)
            | Self::StatementNotFound
            | Self::JobNotFound(_)
            | Self::ExecutorLogNotFound => ErrorKind::NotFound,
            Self::Rejected(_)
            | Self::InvalidName(_)
            | Self::DuplicateName { .. }
            | Self::BlockedConf(_)
            | Self::RelativePath(_)
            | Self::FileNotAllowed(_)
            | Self::InvalidStatement(_)
            | Self::SharedStatement
            | Self::StatementNeedsKind
            | Self::CompletionNeedsKind
            | Self::ResourceRefused(_)
            | Self::TooManySessions => ErrorKind::Rejected,
            Self::NotActive(_) | Self::KeyInUse => ErrorKind::Conflict,
            Self::Impersonation { .. } | Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::TooManyBatches { .. }
            | Self::TooLongBatches { .. }
            | Self::TooManyStatements { .. }
            | Self::TooMuchCode { .. }
            | Self::TooMuchCodeOfAll { .. }
            | Self::TooManyJobs { .. }
            | Self::TooManyResources { .. }
            | Self::TooManyWebhooks { .. }
            | Self::NoRoom(_)
            | Self::ShuttingDown => ErrorKind::Overloaded,
            Self::Store(_)
            | Self::Log(_)
            | Self::Upload(_)
            | Self::Transition(_)
            | Self::JobTransition(_) => ErrorKind::Internal,
        }
    }
}

/// The reason why an agent is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachRefused {
    /// There is no such driver, or its session is over.
    #[error("unknown driver")]
    UnknownDriver,
    /// The secret is wrong.
    #[error("wrong token")]
    WrongToken,
    /// The driver lives as far as the store knows, but this server cannot serve it now: it is
    /// starting or stopping, its row cannot be read, or another server drives it.
    #[error("the driver cannot be served now")]
    Unavailable,
}
