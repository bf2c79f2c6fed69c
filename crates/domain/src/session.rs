//! The life of a session.
//!
//! ```text
//! starting ──> running ──> stopping ──> ended
//!    │            └──── the driver is gone ──^
//!    └── stop, failure ──────^
//! ```
//!
//! A session follows its driver: it waits for the driver, serves statements while the driver is up,
//! and has ended when the driver is gone. Idle and busy are not states: they follow from its
//! statements.

use serde::{Deserialize, Serialize};

use crate::driver::{Departure, DriverEnd, DriverState, Unseen, Verdict};
use crate::{End, Exit, Failure, FailureCode, Outcome, Phase, StopCause};

/// The state of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SessionState {
    /// The session waits for its driver.
    Starting,
    /// The session serves statements.
    Running,
    /// The session is being stopped; its driver may still live.
    Stopping {
        /// The cause of the stop.
        cause: Option<StopCause>,
        /// The failure that is the reason for the stop.
        failure: Option<Failure>,
    },
    /// The session is over, for good.
    Ended(End),
}

/// An event in the life of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// The driver is up.
    DriverUp,
    /// The driver is being ended.
    DriverStopping {
        /// The cause of the stop.
        cause: Option<StopCause>,
        /// The failure that is the reason for the stop.
        failure: Option<Failure>,
    },
    /// The driver is gone.
    DriverGone(DriverEnd),
    /// A user or a timeout wants the session stopped.
    Stop(StopCause),
}

impl SessionEvent {
    /// Translates a driver's state into an event of its session. `None` while the session has to
    /// wait.
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
                failure: stopping.failure.clone(),
            }),
            DriverState::Gone(end) => Some(Self::DriverGone(end.clone())),
        }
    }
}

/// An action of the actor, after it has stored the new state and before it publishes it. The order
/// of the actions counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEffect {
    /// End the driver.
    StopDriver(StopCause),
    /// Give every unfinished statement its end.
    EndStatements,
}

impl SessionState {
    /// The state of a session just asked for.
    pub const NEW: Self = Self::Starting;

    /// The names of the states before the end.
    pub const LIVE_NAMES: [&'static str; 3] = ["starting", "running", "stopping"];
    /// The names of the ends.
    pub const END_NAMES: [&'static str; 3] = ["stopped", "killed", "failed"];

    /// Tells whether the session is over.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Tells whether statements may be posted: they wait while the session starts.
    pub fn accepts_statements(&self) -> bool {
        matches!(self, Self::Starting | Self::Running)
    }

    /// Tells whether the session waits for its driver.
    pub fn is_starting(&self) -> bool {
        matches!(self, Self::Starting)
    }

    /// The state in one word, for logs and searches: one of the names above.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping { .. } => "stopping",
            Self::Ended(end) => match end.outcome {
                Outcome::Stopped => "stopped",
                Outcome::Killed => "killed",
                Outcome::Failed => "failed",
            },
        }
    }

    /// The next state. Every event can come in every state; one that comes late or twice changes
    /// nothing.
    pub fn on(self, event: SessionEvent) -> (Self, Vec<SessionEffect>) {
        use SessionEvent as E;
        match (self, event) {
            (Self::Ended(end), _) => (Self::Ended(end), vec![]),
            (_, E::DriverGone(end)) => {
                (Self::Ended(end_of(end)), vec![SessionEffect::EndStatements])
            }
            (stay @ Self::Stopping { .. }, _) => (stay, vec![]),
            (Self::Starting | Self::Running, E::DriverUp) => (Self::Running, vec![]),
            (Self::Starting | Self::Running, E::DriverStopping { cause, failure }) => {
                (Self::Stopping { cause, failure }, vec![])
            }
            (Self::Starting | Self::Running, E::Stop(cause)) => (
                Self::Stopping {
                    cause: Some(cause),
                    failure: None,
                },
                vec![SessionEffect::StopDriver(cause)],
            ),
        }
    }
}

/// The end of a session whose driver ended like this. A driver that had to be killed makes the
/// session `killed`; a driver that was asked, and ended, makes it stopped.
fn end_of(driver: DriverEnd) -> End {
    let exit = driver.departure.as_ref().map(|departure| departure.exit);
    let failure = match (driver.cause, &driver.departure) {
        // The reason of a launch that failed explains why its session was not ready in time.
        (Some(cause), _) => timed_out(cause).map(|late| driver.failure.unwrap_or(late)),
        (None, Some(departure)) => {
            let exited = || exited_while(driver.phase, departure);
            let is_cause = |failure: &Failure| !is_effect(failure, departure, driver.forced);
            let cause = driver.failure.filter(is_cause);
            let cause = cause.map(|failure| failure.explained_by(departure.clue.clone()));
            Some(cause.unwrap_or_else(exited))
        }
        (None, None) => driver.failure,
    };
    let was_killed = |departure: &Departure| {
        departure.exit == Exit::Signal(9) || departure.verdict == Some(Verdict::Killed)
    };
    let killed = driver.forced && driver.departure.as_ref().is_some_and(was_killed);
    let outcome = match (&failure, killed) {
        (Some(_), _) => Outcome::Failed,
        (None, true) => Outcome::Killed,
        (None, false) => Outcome::Stopped,
    };
    End {
        outcome,
        cause: driver.cause,
        failure,
        exit,
    }
}

/// Whether an agent's failure follows from the end of its driver at the resource manager. The manager
/// ends a driver, and the driver stops its SparkContext. The agent sees the second only.
fn is_effect(failure: &Failure, departure: &Departure, forced: bool) -> bool {
    let is_ended_there = match &departure.verdict {
        Some(Verdict::EndedByCluster(_)) => true,
        // The launcher kills there, too.
        Some(Verdict::Killed) => !forced,
        Some(Verdict::Finished | Verdict::Failed(_)) | None => false,
    };
    failure.is_of_context() && is_ended_there
}

/// A timeout of the driver is a failure; any other cause is a wish.
fn timed_out(cause: StopCause) -> Option<Failure> {
    match cause {
        StopCause::StartTimeout => Some(Failure {
            code: FailureCode::StartTimeout,
            phase: Phase::Context,
            evidence: crate::Evidence::default(),
            message: "the driver was not ready within the time allowed for a start".to_owned(),
            hint: "read the session's log; if the start is only slow, raise sessions.start_timeout"
                .to_owned(),
        }),
        StopCause::Unreachable => Some(Failure {
            code: FailureCode::DriverUnreachable,
            phase: Phase::Running,
            evidence: crate::Evidence::default(),
            message: "the driver's process lives but its agent did not come back".to_owned(),
            hint: "read the session's log: an exhausted driver (memory, threads) cannot answer"
                .to_owned(),
        }),
        _ => None,
    }
}

fn exited_while(phase: Phase, departure: &Departure) -> Failure {
    let doing = match phase {
        Phase::Launch | Phase::Submit | Phase::Connect => "before its agent connected",
        Phase::Context => "while it created the SparkContext",
        Phase::Running | Phase::Stopping => "by itself",
    };
    let (exit, unseen) = (departure.exit, departure.unseen);
    // Later on the log is the user's code's, which may have caught what it printed.
    let is_starting = !matches!(phase, Phase::Running | Phase::Stopping);
    let evidence = departure.evidence.as_deref().filter(|_| is_starting);
    let hint = match exit {
        _ if matches!(departure.verdict, Some(Verdict::EndedByCluster(_))) => {
            "create a new session; the administrator of the cluster knows more"
        }
        Exit::Signal(9) => {
            "signal 9 is what the system sends when memory runs out: look at driverMemory and at the machine"
        }
        Exit::Signal(_) | Exit::Code(_) if evidence.is_some() => {
            "the session's log has the whole story"
        }
        Exit::Signal(_) | Exit::Code(_) => "the end of the session's log says why",
        Exit::Unknown => unseen.map_or("the end of the session's log may say why", Unseen::hint),
    };
    let message = match &departure.verdict {
        Some(Verdict::Failed(why)) => format!("the driver ended {doing}: {why}"),
        Some(Verdict::EndedByCluster(why)) if is_starting => {
            format!("the driver ended {doing}: {why}")
        }
        Some(Verdict::EndedByCluster(why)) => format!("the driver ended: {why}"),
        Some(Verdict::Killed) => {
            format!("the driver ended {doing}: it was killed at its resource manager")
        }
        Some(Verdict::Finished) | None => {
            let reason = unseen.map(Unseen::reason).or(evidence);
            let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            format!("the driver ended {doing} with {exit}{why}")
        }
    };
    Failure {
        code: FailureCode::DriverExited,
        phase,
        evidence: crate::Evidence::default(),
        message,
        hint: hint.to_owned(),
    }
    .explained_by(departure.concluded(!is_starting))
}
