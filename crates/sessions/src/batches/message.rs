//! Requests to a batch's actor.

use livius_domain::StopCause;
use tokio::sync::oneshot;

use crate::error::SessionError;

/// A request to a batch's actor.
#[derive(Debug)]
pub enum Message {
    /// Remove the batch from lists, and end it.
    Delete {
        /// Gets a message when the deletion is stored. The process is ended afterwards.
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
    /// End the batch.
    Stop {
        /// Why.
        cause: StopCause,
        /// Gets a message when the batch has ended.
        reply: Option<oneshot::Sender<()>>,
    },
    /// End the batch at once, without any grace.
    EndByForce {
        /// Gets a message when the batch has ended.
        reply: oneshot::Sender<()>,
    },
}
