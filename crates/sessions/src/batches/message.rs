//! Requests to a batch's actor.

use livius_domain::StopCause;
use tokio::sync::oneshot;

/// A request to a batch's actor.
#[derive(Debug)]
pub enum Message {
    /// End the batch.
    Stop {
        /// Why.
        cause: StopCause,
        /// True to remove it from lists as well.
        hide: bool,
        /// Gets a message when the batch has ended.
        reply: Option<oneshot::Sender<()>>,
    },
    /// End the batch at once, without any grace.
    EndByForce {
        /// Gets a message when the batch has ended.
        reply: oneshot::Sender<()>,
    },
}
