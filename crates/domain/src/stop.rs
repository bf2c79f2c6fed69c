//! The causes of stops.

use serde::{Deserialize, Serialize};

/// The cause of the stop of a session or a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCause {
    /// `DELETE`, `POST …/stop` or `POST …/kill`.
    User,
    /// Nothing happened for `idleTimeout`.
    IdleTimeout,
    /// The session reached its `ttl`.
    Ttl,
    /// No request came for `heartbeatTimeoutInSecond`.
    Heartbeat,
    /// The server is shutting down.
    Shutdown,
    /// The driver's start took longer than the limit.
    StartTimeout,
    /// The driver could not be reached for longer than it would live on its own.
    Unreachable,
}

impl StopCause {
    /// All causes.
    pub const ALL: [Self; 7] = [
        Self::User,
        Self::IdleTimeout,
        Self::Ttl,
        Self::Heartbeat,
        Self::StartTimeout,
        Self::Unreachable,
        Self::Shutdown,
    ];

    /// The name of the cause, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::IdleTimeout => "idle_timeout",
            Self::Ttl => "ttl",
            Self::Heartbeat => "heartbeat",
            Self::StartTimeout => "start_timeout",
            Self::Unreachable => "unreachable",
            Self::Shutdown => "shutdown",
        }
    }

    /// The cause in a sentence, for the documentation.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::User => "A client deleted, stopped or killed it.",
            Self::IdleTimeout => {
                "No statement ran for as long as `idleTimeout` or `sessions.idle_timeout` says."
            }
            Self::Ttl => "The session reached its age of `ttl` or `sessions.ttl`.",
            Self::Heartbeat => "No request came for as long as `heartbeatTimeoutInSecond` says.",
            Self::StartTimeout => {
                "The driver was not ready within `sessions.start_timeout`: the failure [`start_timeout`](#start_timeout)."
            }
            Self::Unreachable => {
                "The driver did not answer for `sessions.link_grace`: the failure [`driver_unreachable`](#driver_unreachable)."
            }
            Self::Shutdown => {
                "The server shut down (`sessions.on_shutdown`, `batches.on_shutdown`)."
            }
        }
    }
}
