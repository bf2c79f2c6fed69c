//! Why the application refuses.

use livius_domain::{JobId, SessionId, SessionState};
use livius_store::StoreError;

/// What an error means to a caller, whatever its words.
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

/// A refusal, in words for the client.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No listed session is called that.
    #[error("Session '{0}' not found.")]
    NotFound(String),
    /// The session has no such statement.
    #[error("Statement not found")]
    StatementNotFound,
    /// The session has no such job.
    #[error("Job '{0}' not found.")]
    JobNotFound(JobId),
    /// The request for a session is refused.
    #[error("Rejected, Reason: {0}")]
    Rejected(String),
    /// As many sessions live as may. Livy's words.
    #[error("Rejected, too many sessions are being created!")]
    TooManySessions,
    /// As many batches wait for their turn as may.
    #[error("{limit} batches are waiting for their turn already; try again when some have run")]
    TooManyBatches {
        /// The limit.
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
    /// The session does not take statements (any more). `state` is Livy's name.
    #[error("Session is in state {state}")]
    NotActive {
        /// Livy's name of the state.
        state: &'static str,
        /// The state.
        full: Box<SessionState>,
    },
    /// The request names a kind that cannot be, or none where one is needed.
    #[error("{0}")]
    InvalidStatement(String),
    /// The caller may not run as somebody else.
    #[error("User '{caller}' not allowed to impersonate 'Some({target})'.")]
    Impersonation {
        /// Who asked.
        caller: String,
        /// As whom.
        target: String,
    },
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
    /// The session's actor is gone: a bug.
    #[error("reach the session's actor")]
    ActorGone,
}

impl SessionError {
    /// Why a session or a batch could not be created, in Livy's words where it has some.
    pub(crate) fn not_created(error: StoreError) -> Self {
        match error {
            StoreError::DuplicateName { name, attempted } => Self::Rejected(format!(
                "Duplicate session name: Some({name}) for session {attempted}"
            )),
            other => Self::Store(other),
        }
    }

    /// The refusal of a session in this state.
    pub(crate) fn not_active(state: &SessionState) -> Self {
        Self::NotActive {
            state: state.livy_name(false),
            full: Box::new(state.clone()),
        }
    }

    /// What it means.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) | Self::StatementNotFound | Self::JobNotFound(_) => {
                ErrorKind::NotFound
            }
            Self::Rejected(_)
            | Self::InvalidStatement(_)
            | Self::ResourceRefused(_)
            | Self::TooManySessions => ErrorKind::Rejected,
            Self::NotActive { .. } => ErrorKind::Conflict,
            Self::Impersonation { .. } => ErrorKind::Forbidden,
            Self::TooManyBatches { .. }
            | Self::TooManyStatements { .. }
            | Self::TooMuchCode { .. }
            | Self::TooManyJobs { .. }
            | Self::TooManyResources { .. }
            | Self::ShuttingDown => ErrorKind::Overloaded,
            Self::Store(_)
            | Self::Log(_)
            | Self::Upload(_)
            | Self::Transition(_)
            | Self::JobTransition(_)
            | Self::ActorGone => ErrorKind::Internal,
        }
    }
}

/// Why an agent is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachRefused {
    /// There is no such driver, or its session is over.
    #[error("unknown driver")]
    UnknownDriver,
    /// The secret is wrong.
    #[error("wrong token")]
    WrongToken,
}
