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
        /// Whether to take it off the list as well.
        hide: bool,
        /// Told when the batch has ended.
        reply: Option<oneshot::Sender<()>>,
    },
    /// End the batch at once, without any grace.
    EndByForce {
        /// Told when the batch has ended.
        reply: oneshot::Sender<()>,
    },
}
