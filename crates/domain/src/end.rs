//! The ends of things, and their causes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Failure, StopCause};

/// The end of a process, as the system reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It is gone, and the server did not see how.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("an unknown exit status"),
        }
    }
}

/// The three ways in which a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was asked to stop and did.
    Stopped,
    /// It was asked to stop and had to be killed.
    Killed,
    /// It ended by itself.
    Failed,
}

/// The end of a session: final, and resting on evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// One of the three outcomes.
    pub outcome: Outcome,
    /// The cause of the stop. `None` when it ended by itself.
    pub cause: Option<StopCause>,
    /// The failure, if there was one.
    pub failure: Option<Failure>,
    /// The end of the driver's process; `None` when there never was one.
    pub exit: Option<Exit>,
}
