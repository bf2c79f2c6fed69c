//! Requests to a session's actor.

use livius_domain::{JobId, Kind, NewJob, NewStatement, StatementId, StopCause, Webhook};
use livius_launch::PendingUpload;
use livius_store::NewResource;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::SessionError;
use crate::keys::Keyed;
use crate::mailbox;
use crate::view::{JobView, SessionView, StatementView};

/// Code that a client has posted.
#[derive(Debug)]
pub struct Posted {
    /// The code.
    pub new: NewStatement,
    /// The key of the request.
    pub key: Option<Keyed>,
    /// The place that is to be told of the statement's end.
    pub webhook: Option<Webhook>,
}

/// A request to a session's actor.
#[derive(Debug)]
pub enum Message {
    /// Run code after the statements before it.
    Run {
        /// The code, with what the request wishes.
        posted: Posted,
        /// The statement, stored.
        reply: oneshot::Sender<Result<StatementView, SessionError>>,
    },
    /// Stop a statement.
    Cancel {
        /// The statement.
        statement: StatementId,
        /// Gets a message when the cancel is stored and passed on.
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
    /// Stop every statement.
    Interrupt {
        /// Gets a message when the cancel is stored and passed on.
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
    /// Complete code. The actor drops the sender if there is no answer.
    Complete {
        /// The text.
        code: String,
        /// The language.
        kind: Kind,
        /// In UTF-16 units.
        cursor: u32,
        /// Texts to insert.
        reply: oneshot::Sender<Vec<String>>,
    },
    /// Run a job. Jobs do not wait for each other.
    SubmitJob {
        /// The job.
        new: NewJob,
        /// The key of the request.
        key: Option<Keyed>,
        /// The job, stored.
        reply: oneshot::Sender<Result<JobView, SessionError>>,
    },
    /// Stop a job.
    CancelJob {
        /// The job.
        job: JobId,
        /// Gets a message when the cancel is stored and passed on.
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
    /// Add a file to the session.
    AddResource {
        /// The file.
        resource: Box<Resource>,
        /// Gets a message when the driver has it, or cannot have it.
        added: Added,
        /// Gets a message when it is stored.
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
    /// Tell whether work could be posted. Nothing is done.
    Check {
        /// The work.
        check: Check,
        /// The refusal that the work would get, if it would get one.
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
    /// Count a request as use of the session.
    Touch,
    /// Remove it from lists, and stop it.
    Delete {
        /// Why.
        cause: StopCause,
        /// Gets a message when the deletion is stored. The driver is ended afterwards.
        reply: Option<oneshot::Sender<Result<(), SessionError>>>,
    },
    /// Stop it.
    Stop {
        /// Why.
        cause: StopCause,
        /// Gets a message when it has ended.
        reply: Option<oneshot::Sender<()>>,
    },
    /// End it at once, without asking its driver.
    EndByForce {
        /// Gets a message when it has ended.
        reply: oneshot::Sender<()>,
    },
}

/// Work that could be posted.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// A statement.
    Statement {
        /// The length of its code.
        bytes: usize,
        /// Its language, if the request names one.
        kind: Option<Kind>,
    },
    /// A job.
    Job {
        /// The length of its payload.
        bytes: usize,
    },
}

/// How others reach a session's actor.
pub type Mailbox = mailbox::Mailbox<Message, SessionView>;

impl Mailbox {
    /// Sends the actor a message and waits for the reply.
    pub async fn ask<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<T>) -> Message,
    ) -> Result<T, SessionError> {
        let answer = self.ask_unless_ended(message).await?;
        answer.ok_or_else(|| SessionError::not_active(&self.view().record.state))
    }

    /// Tells why the actor did not reply: the session has ended, or the server is about to.
    pub fn unanswered(&self) -> SessionError {
        match self.left() {
            Ok(()) => SessionError::not_active(&self.view().record.state),
            Err(error) => error,
        }
    }
}

/// Tells whether the driver has added a file, or why it cannot.
pub type Added = oneshot::Sender<Result<(), String>>;

/// A file to be added.
#[derive(Debug)]
pub struct Resource {
    /// Its record for the store.
    pub new: NewResource,
    /// Its place among those on their way.
    pub place: Option<OwnedSemaphorePermit>,
    /// Its content, if a client sent it.
    pub upload: Option<Box<dyn PendingUpload>>,
}
