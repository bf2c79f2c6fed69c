//! What others ask of a batch's actor.

use livius_domain::{AppInfo, StopCause};
use tokio::sync::oneshot;

use crate::error::SessionError;

/// What others ask of a batch.
#[derive(Debug)]
pub enum Message {
    /// End it.
    Stop {
        /// Why.
        cause: StopCause,
        /// Whether to take it off the list as well.
        hide: bool,
        /// When it has ended.
        reply: Option<oneshot::Sender<()>>,
    },
    /// End it at once, without any grace.
    EndByForce {
        /// When it has ended.
        reply: oneshot::Sender<()>,
    },
    /// Its application runs.
    App {
        /// What Spark tells of it.
        app: AppInfo,
        /// When that is stored.
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
}
