//! The life of a batch.
//!
//! ```text
//! starting ──> running ──> stopping ──> ended
//!    │            └──── the driver is gone ──^
//!    └── stop ───────────────^
//! ```
//!
//! A batch follows its driver. `running` needs the application's own word: a process that was
//! started may still fail to find its main class. A batch has ended when its driver is gone.

use serde::{Deserialize, Serialize};

use crate::driver::{Departure, DriverEnd, DriverState, Unseen, Verdict};
use crate::{Exit, Failure, FailureCode, Phase, StopCause};

/// The state of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BatchState {
    /// The application is not known to run yet.
    Starting,
    /// The application runs: it has said so.
    Running,
    /// The batch is being ended.
    Stopping {
        /// The cause of the stop.
        cause: StopCause,
        /// True if the application ran.
        was_running: bool,
    },
    /// The batch is over, for good.
    Ended(BatchEnd),
}

/// The progress of a batch's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStart {
    /// The driver waits until fewer batches start or run.
    Queued,
    /// The driver's process is being started.
    Launching,
    /// The process runs; the application has not been heard of.
    Submitted,
}

impl BatchStart {
    /// The step that a driver's state stands for. `None` when the driver does not start any more.
    pub fn of(driver: &DriverState) -> Option<Self> {
        match driver {
            DriverState::Queued => Some(Self::Queued),
            DriverState::Launching => Some(Self::Launching),
            DriverState::Connecting | DriverState::Context | DriverState::Primed => {
                Some(Self::Submitted)
            }
            DriverState::Up { .. } | DriverState::Stopping(_) | DriverState::Gone(_) => None,
        }
    }
}

/// The three ways in which a batch is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchOutcome {
    /// The application came to its end and said that all is well.
    Succeeded,
    /// It failed, or could not be started.
    Failed,
    /// It was ended on request, ours or the resource manager's.
    Killed,
}

/// The end of a batch: final, and resting on evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchEnd {
    /// One of the three outcomes.
    pub outcome: BatchOutcome,
    /// The cause of the stop. `None` when it ended by itself.
    pub cause: Option<StopCause>,
    /// The failure, if there was one.
    pub failure: Option<Failure>,
    /// The end of the process; `None` when there never was one.
    pub exit: Option<Exit>,
}

/// An event in the life of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchEvent {
    /// The application has begun to run.
    DriverUp,
    /// The driver is being ended.
    DriverStopping {
        /// The cause of the stop.
        cause: Option<StopCause>,
        /// True if the application ran.
        was_up: bool,
    },
    /// The driver is gone.
    DriverGone(DriverEnd),
    /// A user or the shutdown wants the batch ended.
    Stop(StopCause),
}

impl BatchEvent {
    /// Translates a driver's state into an event of its batch. `None` while the batch has to wait.
    pub fn of(driver: &DriverState) -> Option<Self> {
        match driver {
            DriverState::Queued
            | DriverState::Launching
            | DriverState::Connecting
            | DriverState::Context
            | DriverState::Primed => None,
            DriverState::Up { .. } => Some(Self::DriverUp),
            DriverState::Stopping(stopping) => Some(Self::DriverStopping {
                cause: stopping.cause,
                was_up: stopping.was_up,
            }),
            DriverState::Gone(end) => Some(Self::DriverGone(end.clone())),
        }
    }
}

/// An action of the actor, after it has stored the new state and before it publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchEffect {
    /// End the driver.
    StopDriver(StopCause),
}

impl BatchState {
    /// The state of a batch just asked for.
    pub const NEW: Self = Self::Starting;

    /// The names of the states before the end.
    pub const LIVE_NAMES: [&'static str; 3] = ["starting", "running", "stopping"];
    /// The names of the ends.
    pub const END_NAMES: [&'static str; 3] = ["succeeded", "failed", "killed"];

    /// Tells whether the batch is over.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// The state in one word, for logs and searches: one of the names above.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping { .. } => "stopping",
            Self::Ended(end) => match end.outcome {
                BatchOutcome::Succeeded => "succeeded",
                BatchOutcome::Failed => "failed",
                BatchOutcome::Killed => "killed",
            },
        }
    }

    /// The next state. Every event can come in every state; one that comes late or twice changes
    /// nothing.
    pub fn on(self, event: BatchEvent) -> (Self, Option<BatchEffect>) {
        use BatchEvent as E;
        match (self, event) {
            (Self::Ended(end), _) => (Self::Ended(end), None),
            (_, E::DriverGone(end)) => (Self::Ended(end_of(end)), None),
            (Self::Starting | Self::Running, E::DriverUp) => (Self::Running, None),
            (Self::Stopping { cause, .. }, E::DriverUp) => (stopping(cause, true), None),
            (Self::Stopping { cause, was_running }, E::DriverStopping { was_up, .. }) => {
                (stopping(cause, was_running || was_up), None)
            }
            (Self::Starting, E::DriverStopping { cause, was_up }) => {
                (stopping(cause.unwrap_or(StopCause::User), was_up), None)
            }
            (Self::Running, E::DriverStopping { cause, .. }) => {
                (stopping(cause.unwrap_or(StopCause::User), true), None)
            }
            (Self::Starting, E::Stop(cause)) => {
                (stopping(cause, false), Some(BatchEffect::StopDriver(cause)))
            }
            (Self::Running, E::Stop(cause)) => {
                (stopping(cause, true), Some(BatchEffect::StopDriver(cause)))
            }
            (stay @ Self::Stopping { .. }, E::Stop(_)) => (stay, None),
        }
    }
}

fn stopping(cause: StopCause, was_running: bool) -> BatchState {
    BatchState::Stopping { cause, was_running }
}

/// The end of a batch whose driver ended like this.
fn end_of(driver: DriverEnd) -> BatchEnd {
    match (driver.cause, driver.departure, driver.failure) {
        (Some(cause), Some(departure), _) => departed_after_stop(cause, &departure),
        (Some(cause), None, _) => BatchEnd {
            outcome: BatchOutcome::Killed,
            cause: Some(cause),
            failure: None,
            exit: None,
        },
        (None, None, Some(failure)) => Failed::to_start(failure),
        (None, Some(departure), _) => departed(departure, driver.phase),
        (None, None, None) => departed(Departure::of(Exit::Unknown), driver.phase),
    }
}

/// Judges a driver that ended by itself. If a resource manager ran the application, its verdict
/// counts.
fn departed(departure: Departure, phase: Phase) -> BatchEnd {
    let clue = departure.concluded(false);
    let end = judged(departure, phase);
    BatchEnd {
        failure: end.failure.map(|failure| failure.explained_by(clue)),
        ..end
    }
}

fn judged(departure: Departure, phase: Phase) -> BatchEnd {
    let Departure {
        exit,
        unseen,
        verdict,
        evidence,
        ..
    } = departure;
    match (verdict, exit) {
        (Some(Verdict::Finished), _) | (None, Exit::Code(0)) => BatchEnd {
            outcome: BatchOutcome::Succeeded,
            cause: None,
            failure: None,
            exit: Some(exit),
        },
        (Some(Verdict::Killed), _) => BatchEnd {
            outcome: BatchOutcome::Killed,
            cause: None,
            failure: Some(failure(
                phase,
                "the application was killed at its resource manager".to_owned(),
                "somebody killed it there; submit it again if that was a mistake",
            )),
            exit: Some(exit),
        },
        (Some(Verdict::Failed(message)), _) => Failed::by_itself(exit, phase, message, evidence),
        (Some(Verdict::EndedByCluster(message)), _) => Failed::by_cluster(exit, phase, message),
        (None, Exit::Code(code)) => {
            let message = format!("the application ended with exit code {code}");
            Failed::by_itself(exit, phase, message, evidence)
        }
        (None, Exit::Signal(signal)) => {
            let message = format!(
                "the application was ended by signal {signal}{}",
                named(signal)
            );
            Failed::by_itself(exit, phase, message, evidence)
        }
        (None, Exit::Unknown) => Failed::unseen(unseen, phase, evidence),
    }
}

/// A process that came to a good end although it was to be ended was faster.
fn departed_after_stop(cause: StopCause, departure: &Departure) -> BatchEnd {
    let finished = match &departure.verdict {
        Some(verdict) => *verdict == Verdict::Finished,
        None => departure.exit == Exit::Code(0),
    };
    let outcome = if finished {
        BatchOutcome::Succeeded
    } else {
        BatchOutcome::Killed
    };
    BatchEnd {
        outcome,
        cause: Some(cause),
        failure: None,
        exit: Some(departure.exit),
    }
}

/// The ends that are failures.
struct Failed;

impl Failed {
    fn to_start(failure: Failure) -> BatchEnd {
        BatchEnd {
            outcome: BatchOutcome::Failed,
            cause: None,
            failure: Some(failure),
            exit: None,
        }
    }

    fn unseen(why: Option<Unseen>, phase: Phase, evidence: Option<String>) -> BatchEnd {
        let mut message =
            "the application's process is gone, and the server did not see how it ended".to_owned();
        if let Some(why) = why {
            message = format!("{message}: {}", why.reason());
        }
        let mut end = Self::by_itself(Exit::Unknown, phase, message, evidence);
        if let (Some(failure), Some(why)) = (&mut end.failure, why) {
            why.hint().clone_into(&mut failure.hint);
        }
        end
    }

    fn by_cluster(exit: Exit, phase: Phase, message: String) -> BatchEnd {
        let hint = "submit it again; the administrator of the cluster knows more";
        BatchEnd {
            outcome: BatchOutcome::Failed,
            cause: None,
            failure: Some(failure(phase, message, hint)),
            exit: Some(exit),
        }
    }

    fn by_itself(exit: Exit, phase: Phase, what: String, evidence: Option<String>) -> BatchEnd {
        let message = match evidence {
            Some(evidence) => format!("{what}: {evidence}"),
            None => what,
        };
        BatchEnd {
            outcome: BatchOutcome::Failed,
            cause: None,
            failure: Some(failure(phase, message, hint(exit))),
            exit: Some(exit),
        }
    }
}

fn failure(phase: Phase, message: String, hint: &str) -> Failure {
    Failure {
        code: FailureCode::ApplicationFailed,
        phase,
        evidence: crate::Evidence::default(),
        message,
        hint: hint.to_owned(),
    }
}

fn named(signal: i32) -> &'static str {
    match signal {
        6 => " (SIGABRT)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

fn hint(exit: Exit) -> &'static str {
    match exit {
        Exit::Signal(9) => {
            "the system does that when memory runs out: see its log, and compare driverMemory with what the machine has"
        }
        Exit::Signal(_) => {
            "somebody or something on the server's machine ended it: see the system's log"
        }
        Exit::Unknown => "read the end of the batch's log, and submit it again",
        Exit::Code(_) => "read the batch's log: it holds all that the application printed",
    }
}
