//! The life of a session.
//!
//! ```text
//! starting(queued → launching → connecting → context) ──> running(up ⇄ lost) ──> stopping ──> ended
//!     └───────────────── stop, failure ──────────────────────────┴───────────────────^ ^
//!     └───────────────── the driver's process ended ───────────────────────────────────┘
//! ```
//!
//! Idle and busy are not states of the session: they follow from its statements. A session has ended only when its driver's
//! process is known to be gone, or there never was one.

use serde::{Deserialize, Serialize};

use crate::{AppInfo, End, Exit, Failure, FailureCode, Outcome, Phase, StopCause};

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SessionState {
    /// It is not ready yet.
    Starting {
        /// How far it is.
        step: Start,
    },
    /// It serves statements.
    Running {
        /// Whether the driver can be reached.
        link: Link,
    },
    /// It is being stopped; its driver may still live.
    Stopping {
        /// Who asked for it.
        cause: Option<StopCause>,
        /// What went wrong before, if that is why.
        failure: Option<Failure>,
        /// Whether it was told by force.
        forced: bool,
    },
    /// It is over, for good.
    Ended(End),
}

/// How far a start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// It waits until fewer drivers are being started.
    Queued,
    /// The process is being started.
    Launching,
    /// The process runs; its agent has not connected yet.
    Connecting,
    /// The agent is creating the SparkContext and the interpreter.
    Context,
}

/// The link to a running driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The agent is connected.
    Up,
    /// It was, and is not now.
    Lost,
    /// The server was restarted and has not heard of it yet.
    Recovering,
}

/// What can happen to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// A place among the starting ones is free.
    LaunchAllowed,
    /// The driver's process was started.
    Launched,
    /// It could not be started; nothing is left of it.
    LaunchFailed(Failure),
    /// The agent connected, for the first time or again.
    AgentConnected,
    /// The connection is gone.
    AgentLost,
    /// The SparkContext and the interpreter are up.
    AgentReady(AppInfo),
    /// They could not be created.
    AgentFailed(Failure),
    /// The driver's process and all it started are gone.
    DriverExited(Exit),
    /// Somebody or something wants it stopped.
    Stop(StopCause),
    /// The driver was asked to stop and did not in time.
    StopOverdue,
    /// The server has just been started and found the session in its store.
    Recovered {
        /// Whether the driver's process was found.
        alive: bool,
    },
}

/// What is to be done about it, in this order: the state is stored before, and shown after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEffect {
    /// Start the driver's process.
    Launch,
    /// Ask the agent to stop, and begin to count the grace.
    AskToStop,
    /// End the driver's process tree by force.
    Terminate,
    /// Remember what Spark tells of itself.
    RecordApp(AppInfo),
    /// Hand the next statement over; after a lost link, the current one again.
    Dispatch,
    /// Give every unfinished statement its end.
    EndStatements,
}

/// An event that this state cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("session: {event:?} cannot happen in {state:?}")]
pub struct IllegalSessionTransition {
    /// The state it happened in.
    pub state: Box<SessionState>,
    /// What happened.
    pub event: Box<SessionEvent>,
}

type Step = (SessionState, Vec<SessionEffect>);

impl SessionState {
    /// The state of a session just asked for.
    pub const NEW: Self = Self::Starting {
        step: Start::Queued,
    };

    /// Whether it is over.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Whether statements may be posted: they wait while it starts.
    pub fn accepts_statements(&self) -> bool {
        matches!(self, Self::Starting { .. } | Self::Running { .. })
    }

    /// Whether a driver is being started for it.
    pub fn is_starting(&self) -> bool {
        matches!(self, Self::Starting { .. })
    }

    /// The state in one word, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting { .. } => "starting",
            Self::Running {
                link: Link::Recovering,
            } => "recovering",
            Self::Running { .. } => "running",
            Self::Stopping { .. } => "stopping",
            Self::Ended(end) => match end.outcome {
                Outcome::Stopped => "stopped",
                Outcome::Killed => "killed",
                Outcome::Failed => "failed",
            },
        }
    }

    /// The next state. Events that come late or twice change nothing; those that cannot happen at all are errors.
    pub fn on(self, event: SessionEvent) -> Result<Step, IllegalSessionTransition> {
        match self {
            Self::Starting { step } => on_starting(step, event),
            Self::Running { link } => on_running(link, event),
            Self::Stopping {
                cause,
                failure,
                forced,
            } => on_stopping(cause, failure, forced, event),
            Self::Ended(end) => on_ended(end, event),
        }
    }
}

fn on_starting(step: Start, event: SessionEvent) -> Result<Step, IllegalSessionTransition> {
    use SessionEvent as E;
    let stay = SessionState::Starting { step };
    Ok(match (step, event) {
        (Start::Queued, E::LaunchAllowed) => (
            SessionState::Starting {
                step: Start::Launching,
            },
            vec![SessionEffect::Launch],
        ),
        (Start::Launching, E::Launched) => (
            SessionState::Starting {
                step: Start::Connecting,
            },
            vec![],
        ),
        // A fast agent may connect before its launch was recorded.
        (Start::Context, E::Launched) => (stay, vec![]),
        (Start::Queued | Start::Launching, E::LaunchFailed(failure)) => ended_by(failure, None),
        (Start::Launching | Start::Connecting | Start::Context, E::AgentConnected) => (
            SessionState::Starting {
                step: Start::Context,
            },
            vec![],
        ),
        (Start::Connecting | Start::Context, E::AgentLost) => (stay, vec![]),
        (Start::Context, E::AgentReady(app)) => (
            SessionState::Running { link: Link::Up },
            vec![SessionEffect::RecordApp(app), SessionEffect::Dispatch],
        ),
        (Start::Context, E::AgentFailed(failure)) => {
            let state = SessionState::Stopping {
                cause: None,
                failure: Some(failure),
                forced: false,
            };
            (state, vec![SessionEffect::AskToStop])
        }
        (_, E::DriverExited(exit)) => ended_by(exited_while(phase_of(step), exit), Some(exit)),
        (Start::Queued, E::Stop(cause)) => ended_on_request(cause, None),
        // The launch is under way in a task of its own: its report decides how to go on.
        (Start::Launching, E::Stop(cause)) => (stopping(cause, true), vec![]),
        (Start::Connecting, E::Stop(cause)) => {
            (stopping(cause, true), vec![SessionEffect::Terminate])
        }
        (Start::Context, E::Stop(cause)) => {
            (stopping(cause, false), vec![SessionEffect::AskToStop])
        }
        (Start::Queued, E::Recovered { .. }) => (stay, vec![]),
        (_, E::Recovered { alive: true }) => (
            SessionState::Starting {
                step: Start::Connecting,
            },
            vec![],
        ),
        (_, E::Recovered { alive: false }) => {
            let exit = Exit::Unknown;
            ended_by(exited_while(phase_of(step), exit), Some(exit))
        }
        (_, E::StopOverdue) => (stay, vec![]),
        (_, event) => return Err(illegal(stay, event)),
    })
}

fn on_running(link: Link, event: SessionEvent) -> Result<Step, IllegalSessionTransition> {
    use SessionEvent as E;
    let stay = SessionState::Running { link };
    Ok(match event {
        E::AgentConnected => (
            SessionState::Running { link: Link::Up },
            vec![SessionEffect::Dispatch],
        ),
        E::AgentLost if link == Link::Up => (SessionState::Running { link: Link::Lost }, vec![]),
        E::AgentReady(app) => (stay, vec![SessionEffect::RecordApp(app)]),
        E::AgentFailed(failure) => {
            let state = SessionState::Stopping {
                cause: None,
                failure: Some(failure),
                forced: false,
            };
            (state, vec![SessionEffect::AskToStop])
        }
        E::DriverExited(exit) => ended_by(exited_while(Phase::Running, exit), Some(exit)),
        E::Stop(cause) => (stopping(cause, false), vec![SessionEffect::AskToStop]),
        E::Recovered { alive: true } => (
            SessionState::Running {
                link: Link::Recovering,
            },
            vec![],
        ),
        E::Recovered { alive: false } => ended_by(
            exited_while(Phase::Running, Exit::Unknown),
            Some(Exit::Unknown),
        ),
        E::AgentLost | E::StopOverdue => (stay, vec![]),
        event @ (E::LaunchAllowed | E::Launched | E::LaunchFailed(_)) => {
            return Err(illegal(stay, event));
        }
    })
}

fn on_stopping(
    cause: Option<StopCause>,
    failure: Option<Failure>,
    forced: bool,
    event: SessionEvent,
) -> Result<Step, IllegalSessionTransition> {
    use SessionEvent as E;
    let stay = SessionState::Stopping {
        cause,
        failure: failure.clone(),
        forced,
    };
    let force = SessionState::Stopping {
        cause,
        failure: failure.clone(),
        forced: true,
    };
    Ok(match event {
        E::DriverExited(exit) => ended_after_stop(cause, failure, forced, Some(exit)),
        // Only a launch that was stopped halfway ends without a process.
        E::LaunchFailed(_) => ended_after_stop(cause, failure, false, None),
        E::Launched => (force, vec![SessionEffect::Terminate]),
        E::StopOverdue if !forced => (force, vec![SessionEffect::Terminate]),
        // The agent came (back) while it is being stopped: it may not have heard of that.
        E::AgentConnected if !forced => (stay, vec![SessionEffect::AskToStop]),
        E::Recovered { alive: true } => (force, vec![SessionEffect::Terminate]),
        E::Recovered { alive: false } => {
            ended_after_stop(cause, failure, forced, Some(Exit::Unknown))
        }
        E::StopOverdue
        | E::AgentConnected
        | E::AgentLost
        | E::AgentReady(_)
        | E::AgentFailed(_)
        | E::Stop(_) => (stay, vec![]),
        event @ E::LaunchAllowed => return Err(illegal(stay, event)),
    })
}

fn on_ended(end: End, event: SessionEvent) -> Result<Step, IllegalSessionTransition> {
    use SessionEvent as E;
    let stay = SessionState::Ended(end);
    match event {
        E::LaunchAllowed | E::Launched => Err(illegal(stay, event)),
        _ => Ok((stay, vec![])),
    }
}

fn stopping(cause: StopCause, forced: bool) -> SessionState {
    let failure = match cause {
        StopCause::StartTimeout => Some(Failure {
            code: FailureCode::StartTimeout,
            phase: Phase::Context,
            message: "the driver was not ready within the time allowed for a start".to_owned(),
            hint: "read the session's log; if the start is only slow, raise sessions.start_timeout"
                .to_owned(),
        }),
        StopCause::Unreachable => Some(Failure {
            code: FailureCode::DriverUnreachable,
            phase: Phase::Running,
            message: "the driver's process lives but its agent did not come back".to_owned(),
            hint: "read the session's log: an exhausted driver (memory, threads) cannot answer"
                .to_owned(),
        }),
        _ => None,
    };
    SessionState::Stopping {
        cause: Some(cause),
        failure,
        forced,
    }
}

fn ended_by(failure: Failure, exit: Option<Exit>) -> Step {
    let end = End {
        outcome: Outcome::Failed,
        cause: None,
        failure: Some(failure),
        exit,
    };
    (SessionState::Ended(end), vec![SessionEffect::EndStatements])
}

fn ended_on_request(cause: StopCause, exit: Option<Exit>) -> Step {
    let end = End {
        outcome: Outcome::Stopped,
        cause: Some(cause),
        failure: None,
        exit,
    };
    (SessionState::Ended(end), vec![SessionEffect::EndStatements])
}

/// A driver that had to be forced was killed; before it ever served, forcing it is the ordinary way to stop it.
fn ended_after_stop(
    cause: Option<StopCause>,
    failure: Option<Failure>,
    forced: bool,
    exit: Option<Exit>,
) -> Step {
    let outcome = match (&failure, forced && matches!(exit, Some(Exit::Signal(9)))) {
        (Some(_), _) => Outcome::Failed,
        (None, true) => Outcome::Killed,
        (None, false) => Outcome::Stopped,
    };
    (
        SessionState::Ended(End {
            outcome,
            cause,
            failure,
            exit,
        }),
        vec![SessionEffect::EndStatements],
    )
}

fn phase_of(step: Start) -> Phase {
    match step {
        Start::Queued | Start::Launching => Phase::Launch,
        Start::Connecting => Phase::Connect,
        Start::Context => Phase::Context,
    }
}

fn exited_while(phase: Phase, exit: Exit) -> Failure {
    let doing = match phase {
        Phase::Launch | Phase::Submit | Phase::Connect => "before its agent connected",
        Phase::Context => "while it created the SparkContext",
        Phase::Running | Phase::Stopping => "by itself",
    };
    let hint = match exit {
        Exit::Signal(9) => {
            "signal 9 is what the system sends when memory runs out: look at driverMemory and at the machine"
        }
        Exit::Signal(_) | Exit::Code(_) => "the end of the session's log says why",
        Exit::Unknown => {
            "it ended while the server was away; the end of the session's log may say why"
        }
    };
    Failure {
        code: FailureCode::DriverExited,
        phase,
        message: format!("the driver ended {doing} with {exit}"),
        hint: hint.to_owned(),
    }
}

fn illegal(state: SessionState, event: SessionEvent) -> IllegalSessionTransition {
    IllegalSessionTransition {
        state: Box::new(state),
        event: Box::new(event),
    }
}
