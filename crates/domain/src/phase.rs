//! The phases of a driver's life, for failures.

use serde::{Deserialize, Serialize};

/// The phase in which something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The driver's process was being started.
    Launch,
    /// The process ran, its agent had not yet connected.
    Connect,
    /// A batch's process ran, its application had not yet been heard of.
    Submit,
    /// The agent was creating the SparkContext and the interpreter.
    Context,
    /// The session was in use, or the batch's application ran.
    Running,
    /// The session was being stopped.
    Stopping,
}

impl Phase {
    /// The name of the phase, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Connect => "connect",
            Self::Submit => "submit",
            Self::Context => "context",
            Self::Running => "running",
            Self::Stopping => "stopping",
        }
    }
}
