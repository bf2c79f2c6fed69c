//! The things that requests make, as their keys remember them.

use std::fmt;

use crate::{BatchId, JobId, ResourceId, SessionId, StatementId};

/// The thing that a request made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Made {
    /// A session.
    Session(SessionId),
    /// A batch.
    Batch(BatchId),
    /// A statement of a session.
    Statement(SessionId, StatementId),
    /// A job of a session.
    Job(SessionId, JobId),
    /// A file that was added to a session.
    File(SessionId, ResourceId),
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(id) => write!(f, "session {id}"),
            Self::Batch(id) => write!(f, "batch {id}"),
            Self::Statement(session, id) => write!(f, "statement {id} of session {session}"),
            Self::Job(session, id) => write!(f, "job {id} of session {session}"),
            Self::File(session, id) => write!(f, "file {id} of session {session}"),
        }
    }
}
