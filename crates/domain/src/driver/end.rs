//! The ends of drivers.

use serde::{Deserialize, Serialize};

use crate::failure::{Clue, recognise};
use crate::{Exit, Failure, FailureCode, Phase, StopCause};

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
    /// Why the server did not see how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<Unseen>,
    /// The resource manager's word, where the local process only submitted the application.
    pub verdict: Option<Verdict>,
    /// The line of the log that tells why, if there is one.
    pub evidence: Option<String>,
    /// The failure that the log was recognised to have, or the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clue: Option<Clue>,
}

impl Departure {
    /// A departure that only the exit tells of.
    pub fn of(exit: Exit) -> Self {
        Self {
            exit,
            unseen: None,
            verdict: None,
            evidence: None,
            clue: None,
        }
    }

    /// The failure that all facts together tell. `None` if they tell no more than that it ended. If
    /// the log has the output of a session's code, only failures count that end a process.
    pub(crate) fn concluded(&self, of_session: bool) -> Option<Clue> {
        let counts = |clue: &&Clue| !of_session || clue.ends_a_process();
        let of_log = || self.clue.as_ref().filter(counts).cloned();
        match &self.verdict {
            Some(Verdict::Killed) => Some(Clue::of(FailureCode::KilledAtManager, None)),
            Some(Verdict::EndedByCluster(words)) => {
                Some(Clue::of(FailureCode::EndedByCluster, Some(words)))
            }
            Some(Verdict::Failed(words)) => recognise(&[words]).or_else(of_log),
            Some(Verdict::Finished) | None if is_signal(self.exit) => Some(
                // Nothing is printed at the end. Earlier lines are about something else.
                of_log()
                    .filter(Clue::ends_a_process)
                    .unwrap_or_else(|| Clue::of(FailureCode::EndedBySignal, None)),
            ),
            Some(Verdict::Finished) | None => of_log(),
        }
    }

    /// The departure of a driver whose end the server did not see.
    pub fn unseen(why: Unseen) -> Self {
        Self {
            unseen: Some(why),
            ..Self::of(Exit::Unknown)
        }
    }
}

/// Tells whether a signal ended a process. A JVM that gets SIGHUP, SIGINT or SIGTERM runs its hooks
/// and exits with 128 and the number. A container reports signals the same way.
fn is_signal(exit: Exit) -> bool {
    match exit {
        Exit::Signal(_) => true,
        Exit::Code(code) => matches!(code, 129 | 130 | 137 | 143),
        Exit::Unknown => false,
    }
}

/// Why the server did not see how a driver's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// The process that supervises the driver was killed, and the server ended the driver.
    SupervisorKilled,
    /// The driver and the process that supervises it were gone, and had written nothing down.
    BothVanished,
    /// The machine was restarted.
    MachineRestarted,
    /// The driver's files are gone.
    FilesMissing,
    /// The store has no record of the driver.
    RecordMissing,
}

impl Unseen {
    /// The reason, in words that follow a colon.
    pub fn reason(self) -> &'static str {
        match self {
            Self::SupervisorKilled => {
                "the process that supervises it was killed, so the server ended it"
            }
            Self::BothVanished => "the process that supervised it is gone, too",
            Self::MachineRestarted => "the machine was restarted",
            Self::FilesMissing => "its files are gone",
            Self::RecordMissing => "the server's store has no record of it",
        }
    }

    /// The advice to the user.
    pub fn hint(self) -> &'static str {
        match self {
            Self::SupervisorKilled | Self::BothVanished => {
                "the system kills processes when memory runs out: see its log, and compare driverMemory with what the machine has"
            }
            Self::MachineRestarted => "start it again; the end of the log shows how far it came",
            Self::FilesMissing | Self::RecordMissing => {
                "the server's data directory was changed or restored from a copy; start it again"
            }
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
    /// The cluster ended the application for a reason of its own, such as preemption or the loss of a
    /// node, in the manager's words.
    EndedByCluster(String),
}
