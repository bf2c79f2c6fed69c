//! The life of a batch.
//!
//! ```text
//! starting(queued → launching → submitted) ──> running ──> ended
//!     └──────── stop ────────> stopping <──── stop ──┘       ^
//!     └──────── the process ended, or never began ───────────┘
//! ```
//!
//! `running` needs the application's own word: a process that was spawned may still fail to find its main class. A batch has ended only
//! when its process is known to be gone, or there never was one.

use serde::{Deserialize, Serialize};

use crate::{AppInfo, Exit, Failure, FailureCode, Phase, StopCause};

/// Where a batch stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BatchState {
    /// The application is not known to run yet.
    Starting {
        /// How far it is.
        step: BatchStart,
    },
    /// The application runs: it has said so.
    Running,
    /// It is being ended by force.
    Stopping {
        /// Who asked for it.
        cause: StopCause,
        /// Whether the application ran.
        was_running: bool,
    },
    /// It is over, for good.
    Ended(BatchEnd),
}

/// How far the start of a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStart {
    /// It waits until fewer batches start or run.
    Queued,
    /// The process is being started.
    Launching,
    /// The process runs; the application has not been heard of.
    Submitted,
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
    /// Which of the three ways.
    pub outcome: BatchOutcome,
    /// Who asked for it, if anybody did.
    pub cause: Option<StopCause>,
    /// What went wrong, if something did.
    pub failure: Option<Failure>,
    /// How the process ended; `None` when there never was one.
    pub exit: Option<Exit>,
}

/// What is known when a batch's process is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// How the process ended.
    pub exit: Exit,
    /// What the resource manager says of the application, where the process was only its herald.
    pub verdict: Option<Verdict>,
    /// The line of the log that tells why, if there is one.
    pub evidence: Option<String>,
}

/// A resource manager's word about an application that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It finished.
    Finished,
    /// It was killed there.
    Killed,
    /// It failed, in the manager's words.
    Failed(String),
}

/// What can happen to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchEvent {
    /// A place among the running ones is free.
    LaunchAllowed,
    /// The process was started.
    Launched,
    /// It could not be started; nothing is left of it.
    LaunchFailed(Failure),
    /// The application has begun to run.
    AppStarted(AppInfo),
    /// The process and all it started are gone.
    Gone(Departure),
    /// Somebody or something wants it ended.
    Stop(StopCause),
    /// The server has just been started, found the batch in its store, and its process alive.
    FoundAlive,
    /// The same, and its process was never started.
    FoundUnstarted,
}

/// What is to be done about it, in this order: the state is stored before, and shown after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchEffect {
    /// Wait for a place.
    Queue,
    /// Start the process.
    Launch,
    /// End the process tree by force.
    Terminate,
    /// Remember what Spark tells of the application.
    RecordApp(AppInfo),
}

/// An event that this state cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("batch: {event:?} cannot happen in {state:?}")]
pub struct IllegalBatchTransition {
    /// The state it happened in.
    pub state: Box<BatchState>,
    /// What happened.
    pub event: Box<BatchEvent>,
}

type Step = (BatchState, Vec<BatchEffect>);

impl BatchState {
    /// The state of a batch just asked for.
    pub const NEW: Self = Self::Starting {
        step: BatchStart::Queued,
    };

    /// Whether it is over.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Whether it waits for a place: nothing was started for it.
    pub fn is_queued(&self) -> bool {
        *self == Self::NEW
    }

    /// The state in one word, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting { .. } => "starting",
            Self::Running => "running",
            Self::Stopping { .. } => "stopping",
            Self::Ended(end) => match end.outcome {
                BatchOutcome::Succeeded => "succeeded",
                BatchOutcome::Failed => "failed",
                BatchOutcome::Killed => "killed",
            },
        }
    }

    /// The next state. Events that come late or twice change nothing; those that cannot happen at all are errors.
    pub fn on(self, event: BatchEvent) -> Result<Step, IllegalBatchTransition> {
        match self {
            Self::Starting { step } => on_starting(step, event),
            Self::Running => on_running(event),
            Self::Stopping { cause, was_running } => on_stopping(cause, was_running, event),
            Self::Ended(_) => on_ended(self, event),
        }
    }
}

fn starting(step: BatchStart) -> BatchState {
    BatchState::Starting { step }
}

fn on_starting(step: BatchStart, event: BatchEvent) -> Result<Step, IllegalBatchTransition> {
    use BatchEvent as E;
    use BatchStart::{Launching, Queued, Submitted};
    let stay = starting(step);
    Ok(match (step, event) {
        (Queued, E::LaunchAllowed) => (starting(Launching), vec![BatchEffect::Launch]),
        (Launching, E::Launched) => (starting(Submitted), vec![]),
        (Queued | Launching, E::LaunchFailed(failure)) => ended(Failed::to_start(failure)),
        // A fast application may be heard of before its launch was recorded.
        (Launching | Submitted, E::AppStarted(app)) => {
            (BatchState::Running, vec![BatchEffect::RecordApp(app)])
        }
        (Launching | Submitted, E::Gone(departure)) => ended(departed(departure, Phase::Submit)),
        (Queued, E::Stop(cause)) => ended(BatchEnd {
            outcome: BatchOutcome::Killed,
            cause: Some(cause),
            failure: None,
            exit: None,
        }),
        // The launch is under way in a task of its own: its report decides how to go on.
        (Launching, E::Stop(cause)) => (stopping(cause, false), vec![]),
        (Submitted, E::Stop(cause)) => (stopping(cause, false), vec![BatchEffect::Terminate]),
        (Launching | Submitted, E::FoundAlive) => (starting(Submitted), vec![]),
        (Queued | Launching, E::FoundUnstarted) => (starting(Queued), vec![BatchEffect::Queue]),
        (_, event) => return Err(illegal(stay, event)),
    })
}

fn on_running(event: BatchEvent) -> Result<Step, IllegalBatchTransition> {
    use BatchEvent as E;
    let stay = BatchState::Running;
    Ok(match event {
        E::AppStarted(app) => (stay, vec![BatchEffect::RecordApp(app)]),
        E::Gone(departure) => ended(departed(departure, Phase::Running)),
        E::Stop(cause) => (stopping(cause, true), vec![BatchEffect::Terminate]),
        E::Launched | E::FoundAlive => (stay, vec![]),
        event @ (E::LaunchAllowed | E::LaunchFailed(_) | E::FoundUnstarted) => {
            return Err(illegal(stay, event));
        }
    })
}

fn on_stopping(
    cause: StopCause,
    was_running: bool,
    event: BatchEvent,
) -> Result<Step, IllegalBatchTransition> {
    use BatchEvent as E;
    let stay = stopping(cause, was_running);
    Ok(match event {
        E::Gone(departure) => ended(departed_after_stop(cause, &departure)),
        // Only a launch that was stopped halfway ends without a process.
        E::LaunchFailed(_) | E::FoundUnstarted => ended(BatchEnd {
            outcome: BatchOutcome::Killed,
            cause: Some(cause),
            failure: None,
            exit: None,
        }),
        E::Launched | E::FoundAlive => (stay, vec![BatchEffect::Terminate]),
        E::AppStarted(app) => (stopping(cause, true), vec![BatchEffect::RecordApp(app)]),
        E::Stop(_) => (stay, vec![]),
        event @ E::LaunchAllowed => return Err(illegal(stay, event)),
    })
}

fn on_ended(stay: BatchState, event: BatchEvent) -> Result<Step, IllegalBatchTransition> {
    match event {
        BatchEvent::LaunchAllowed | BatchEvent::Launched | BatchEvent::FoundAlive => {
            Err(illegal(stay, event))
        }
        _ => Ok((stay, vec![])),
    }
}

fn stopping(cause: StopCause, was_running: bool) -> BatchState {
    BatchState::Stopping { cause, was_running }
}

fn ended(end: BatchEnd) -> Step {
    (BatchState::Ended(end), vec![])
}

/// What came to its end by itself. Where a resource manager ran the application, its word counts.
fn departed(departure: Departure, phase: Phase) -> BatchEnd {
    let Departure {
        exit,
        verdict,
        evidence,
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
        (None, Exit::Unknown) => {
            let message = "the application's process is gone, and nobody saw how it ended";
            Failed::by_itself(exit, phase, message.to_owned(), evidence)
        }
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
        Exit::Unknown => {
            "the machine may have been restarted meanwhile; read the end of the batch's log, and submit it again"
        }
        Exit::Code(_) => "read the batch's log: it holds all that the application printed",
    }
}

fn illegal(state: BatchState, event: BatchEvent) -> IllegalBatchTransition {
    IllegalBatchTransition {
        state: Box::new(state),
        event: Box::new(event),
    }
}
