//! The life of a job of the programmatic API, and of a file that was added to a session.
//!
//! ```text
//! waiting ── dispatch ──> sent ── started ──> started ── finished ──> succeeded, failed, cancelled
//!    │                     └───── cancel ───────┴──> cancelling ── finished ──────────^
//!    └── cancel ──────────────────────────────────────────────────────────> cancelled
//! ```
//!
//! Jobs run in parallel with statements and with each other, so they have no queue: a job waits
//! only for its driver. As with statements, a job is `cancelled` only when the agent has seen it
//! stop, or the driver is gone. A job that was to stop and does not is `failed`, with an error that
//! says so.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The language of a job, which decides how the agent reads its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobLanguage {
    /// Scala or Java: Kryo of an `org.apache.livy.Job`. Livy calls it `spark`.
    Jvm,
    /// Python: cloudpickle of a function. Livy calls it `pyspark`.
    Python,
}

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum JobState {
    /// The driver does not have it yet.
    Waiting,
    /// The driver has it; it has not begun.
    Sent,
    /// It runs.
    Started {
        /// Since when.
        started: Timestamp,
    },
    /// It is being stopped and may still run.
    Cancelling {
        /// `None` when it had not begun.
        started: Option<Timestamp>,
    },
    /// It is over.
    Ended {
        /// How.
        outcome: JobOutcome,
        /// `None` when it never began.
        started: Option<Timestamp>,
        /// When it was over.
        ended: Timestamp,
    },
}

/// The end of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobOutcome {
    /// It returned; its result, if there is one, is stored.
    Succeeded,
    /// It could not be run, threw, or lost its driver; its error is stored.
    Failed,
    /// It was cancelled: it stopped, or never ran.
    Cancelled,
}

/// An event in the life of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEvent {
    /// The driver can be reached.
    Dispatch,
    /// The driver can be reached, and its agent does not have the job in hand.
    Missed,
    /// The agent began to run it.
    Started(Timestamp),
    /// It is to be stopped.
    Cancel(Timestamp),
    /// The agent saw it end.
    Finished {
        /// When.
        at: Timestamp,
        /// How.
        outcome: JobOutcome,
    },
    /// Its driver is gone for good.
    DriverLost(Timestamp),
}

/// An action of the actor, after it has stored the new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEffect {
    /// Hand it to the driver.
    SendJob,
    /// Tell the driver to stop it.
    SendCancel,
    /// Tell the driver to stop it by force at once, because the user has asked again.
    SendKill,
    /// Both, because the driver may have neither.
    SendJobAndCancel,
    /// Store an error that says that the driver is gone.
    WriteDriverLost,
}

/// An event that this state cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("job: {event:?} cannot happen in {state:?}")]
pub struct IllegalJobTransition {
    /// The state in which the event came.
    pub state: JobState,
    /// The event.
    pub event: JobEvent,
}

type Step = (JobState, Option<JobEffect>);

impl JobState {
    /// Tells whether it is over.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Ended { .. })
    }

    /// When it began.
    pub fn started(self) -> Option<Timestamp> {
        match self {
            Self::Waiting | Self::Sent => None,
            Self::Started { started } => Some(started),
            Self::Cancelling { started } | Self::Ended { started, .. } => started,
        }
    }

    /// The next state. The agent repeats unacknowledged events, so a repeated event changes
    /// nothing.
    pub fn on(self, event: JobEvent) -> Result<Step, IllegalJobTransition> {
        use JobEffect as Effect;
        use JobEvent as Event;
        let step = match (self, event) {
            (Self::Ended { .. }, Event::Dispatch | Event::Missed)
            | (Self::Waiting, Event::Started(_)) => {
                return Err(IllegalJobTransition { state: self, event });
            }
            (Self::Ended { .. }, _) => (self, None),

            (Self::Waiting, Event::Dispatch | Event::Missed) => {
                (Self::Sent, Some(Effect::SendJob))
            }
            // After a lost link the server sends a job again. The agent knows its jobs and does not
            // run one twice.
            (Self::Sent, Event::Dispatch | Event::Missed)
            // The agent tells its end again, or that its result was lost.
            | (Self::Started { .. }, Event::Missed) => (self, Some(Effect::SendJob)),
            (Self::Cancelling { started: None }, Event::Dispatch)
            | (Self::Cancelling { .. }, Event::Missed) => (self, Some(Effect::SendJobAndCancel)),
            (Self::Cancelling { .. }, Event::Dispatch) => (self, Some(Effect::SendCancel)),
            (Self::Started { .. }, Event::Dispatch) => (self, None),

            (Self::Cancelling { .. }, Event::Started(at)) => {
                (Self::Cancelling { started: Some(at) }, None)
            }
            (_, Event::Started(at)) => (Self::Started { started: at }, None),

            (Self::Waiting, Event::Cancel(at)) => (self.ended(JobOutcome::Cancelled, at), None),
            (Self::Cancelling { .. }, Event::Cancel(_)) => (self, Some(Effect::SendKill)),
            (_, Event::Cancel(_)) => {
                let started = self.started();
                (Self::Cancelling { started }, Some(Effect::SendCancel))
            }

            (_, Event::Finished { at, outcome }) => (self.ended(outcome, at), None),

            (Self::Cancelling { .. }, Event::DriverLost(at)) => {
                (self.ended(JobOutcome::Cancelled, at), None)
            }
            (_, Event::DriverLost(at)) => (
                self.ended(JobOutcome::Failed, at),
                Some(Effect::WriteDriverLost),
            ),
        };
        Ok(step)
    }

    fn ended(self, outcome: JobOutcome, at: Timestamp) -> Self {
        Self::Ended {
            outcome,
            started: self.started(),
            ended: at,
        }
    }
}

/// The use of a file that is added to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceUse {
    /// Code: a jar for the class path, or something for the Python path, as its name says.
    Library,
    /// Data, for `SparkFiles.get`.
    File,
}

/// The source of a file that is added to a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum ResourceSource {
    /// The driver gets it itself.
    Uri {
        /// Checked against the rules for paths.
        uri: String,
    },
    /// It was sent to the server, which keeps it until the driver has it.
    Upload,
}

/// The progress of a file's addition. It may be handed over twice, and the agent adds it once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ResourceState {
    /// The driver has not said that it has it.
    Pending,
    /// It is at its place.
    Added,
    /// It could not be added.
    Failed {
        /// Why.
        error: String,
    },
}
