//! The life of a statement.
//!
//! ```text
//! waiting ── dispatch ──> running ── finished ──────────────> available
//!    │                       │  └─── cancel ──> cancelling ── finished(cancelled) ──> cancelled
//!    └────── cancel ─────────┼──────────────────────────────────────────────────────────^
//! ```
//!
//! A cancel is a request: the state says `cancelled` only when the agent has seen the code stop, or
//! the driver is gone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StatementState {
    /// It waits for the statements before it, or for the driver.
    Waiting,
    /// It was handed to the driver; `started` is when its code began.
    Running {
        /// `None` until the agent said so.
        started: Option<Timestamp>,
    },
    /// It is being stopped and may still run.
    Cancelling {
        /// As for running.
        started: Option<Timestamp>,
    },
    /// It ended by itself, well or not; its output is stored.
    Available {
        /// `None` when its code never began.
        started: Option<Timestamp>,
        /// When it ended.
        completed: Timestamp,
    },
    /// Its code was stopped, or never ran.
    Cancelled {
        /// `None` when its code never began.
        started: Option<Timestamp>,
        /// When it was over.
        completed: Timestamp,
    },
}

/// An event in the life of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementEvent {
    /// Its turn has come.
    Dispatch,
    /// The agent began to run its code.
    Started(Timestamp),
    /// It is to be stopped.
    Cancel(Timestamp),
    /// The agent saw its code end.
    Finished {
        /// When.
        at: Timestamp,
        /// True if a cancel ended it.
        cancelled: bool,
    },
    /// Its driver is gone for good.
    DriverLost(Timestamp),
}

/// An action of the actor, after it has stored the new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementEffect {
    /// Hand it to the driver.
    SendRun,
    /// Tell the driver to stop it.
    SendCancel,
    /// Tell the driver to stop it by force at once, because the user has asked again.
    SendKill,
    /// Write an output that says that the driver died.
    WriteDriverLost,
}

/// An event that this state cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("statement: {event:?} cannot happen in {state:?}")]
pub struct IllegalStatementTransition {
    /// The state in which the event came.
    pub state: StatementState,
    /// The event.
    pub event: StatementEvent,
}

type Step = (StatementState, Option<StatementEffect>);

impl StatementState {
    /// Tells whether it is over.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Available { .. } | Self::Cancelled { .. })
    }

    /// Tells whether the driver has it.
    pub fn is_dispatched(self) -> bool {
        matches!(self, Self::Running { .. } | Self::Cancelling { .. })
    }

    /// When its code began.
    pub fn started(self) -> Option<Timestamp> {
        match self {
            Self::Waiting => None,
            Self::Running { started }
            | Self::Cancelling { started }
            | Self::Available { started, .. }
            | Self::Cancelled { started, .. } => started,
        }
    }

    /// When it was over.
    pub fn completed(self) -> Option<Timestamp> {
        match self {
            Self::Available { completed, .. } | Self::Cancelled { completed, .. } => {
                Some(completed)
            }
            Self::Waiting | Self::Running { .. } | Self::Cancelling { .. } => None,
        }
    }

    /// The next state. The agent repeats unacknowledged events, so a repeated event changes
    /// nothing.
    #[expect(clippy::too_many_lines, reason = "one match shows the whole machine")]
    pub fn on(self, event: StatementEvent) -> Result<Step, IllegalStatementTransition> {
        use StatementEffect as Effect;
        use StatementEvent as Event;
        let step = match (self, event) {
            (Self::Available { .. } | Self::Cancelled { .. }, Event::Dispatch)
            | (Self::Waiting, Event::Started(_)) => {
                return Err(IllegalStatementTransition { state: self, event });
            }
            (Self::Available { .. } | Self::Cancelled { .. }, _) => (self, None),

            (Self::Waiting, Event::Dispatch) => {
                (Self::Running { started: None }, Some(Effect::SendRun))
            }
            (Self::Waiting, Event::Cancel(at) | Event::DriverLost(at)) => (
                Self::Cancelled {
                    started: None,
                    completed: at,
                },
                None,
            ),

            // After a lost link the run is sent again; the agent knows the statement and does not
            // run it twice.
            (Self::Running { .. } | Self::Cancelling { .. }, Event::Dispatch) => {
                (self, Some(Effect::SendRun))
            }
            (Self::Running { .. }, Event::Started(at)) => {
                (Self::Running { started: Some(at) }, None)
            }
            (Self::Cancelling { .. }, Event::Started(at)) => {
                (Self::Cancelling { started: Some(at) }, None)
            }
            (Self::Running { started }, Event::Cancel(_)) => {
                (Self::Cancelling { started }, Some(Effect::SendCancel))
            }
            (Self::Cancelling { .. }, Event::Cancel(_)) => (self, Some(Effect::SendKill)),
            (
                _,
                Event::Finished {
                    at,
                    cancelled: false,
                },
            ) => (
                Self::Available {
                    started: self.started(),
                    completed: at,
                },
                None,
            ),
            (
                _,
                Event::Finished {
                    at,
                    cancelled: true,
                },
            ) => (
                Self::Cancelled {
                    started: self.started(),
                    completed: at,
                },
                None,
            ),
            (Self::Running { started }, Event::DriverLost(at)) => (
                Self::Available {
                    started,
                    completed: at,
                },
                Some(Effect::WriteDriverLost),
            ),
            // Pieces of an output may have arrived: they must not be taken for the whole.
            (Self::Cancelling { started }, Event::DriverLost(at)) => (
                Self::Cancelled {
                    started,
                    completed: at,
                },
                Some(Effect::WriteDriverLost),
            ),
        };
        Ok(step)
    }
}
