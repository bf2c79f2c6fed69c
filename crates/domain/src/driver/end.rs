//! The ends of drivers.

use serde::{Deserialize, Serialize};

use crate::{Exit, Failure, Phase, StopCause};

/// The way a driver is being ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// The cause of the stop.
    pub cause: Option<StopCause>,
    /// The failure that is the reason for the stop.
    pub failure: Option<Failure>,
    /// True if the launcher was told to end the process.
    pub forced: bool,
    /// True if the driver had been up.
    #[serde(default)]
    pub was_up: bool,
}

/// The end of a driver: final, and resting on evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverEnd {
    /// The phase in which the driver ended.
    pub phase: Phase,
    /// The cause of the stop. `None` when the driver ended by itself.
    pub cause: Option<StopCause>,
    /// The failure before the end: of the launch, the context or the link.
    pub failure: Option<Failure>,
    /// True if the launcher was told to end the process.
    pub forced: bool,
    /// The end of the process. `None` when there never was one.
    pub departure: Option<Departure>,
}

/// The facts about a driver's process that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The end of the process.
    pub exit: Exit,
    /// The resource manager's word, where the local process only submitted the application.
    pub verdict: Option<Verdict>,
    /// The line of the log that tells why, if there is one.
    pub evidence: Option<String>,
}

impl Departure {
    /// A departure that only the exit tells of.
    pub fn of(exit: Exit) -> Self {
        Self {
            exit,
            verdict: None,
            evidence: None,
        }
    }
}

/// A resource manager's word about an application that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The application finished.
    Finished,
    /// The application was killed at the manager.
    Killed,
    /// The application failed, in the manager's words.
    Failed(String),
}
