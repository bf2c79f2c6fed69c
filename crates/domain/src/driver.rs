//! The life of a driver: one Spark driver process, wherever it runs, with everything it started.
//!
//! ```text
//! queued ─> launching ─> connecting ─> context ─> up(up ⇄ lost) ──> stopping ──> gone
//!    ^          │             │          │   ^ agents only             ^           ^
//!    │          │             │          └> primed: of pools only      │           │
//!    └ unstarted┘             └───────────── stop, failure ─────────────┘           │
//!                             └───────────── the process ended ─────────────────────┘
//! ```
//!
//! Sessions and batches use drivers, and a pool keeps drivers for sessions to come. A session's driver runs our agent, a batch's driver runs the
//! user's application with a listener of ours in it. A driver is gone only when its whole process
//! tree is known to be gone, or when it was never started.
//!
//! # Rows of earlier versions
//!
//! Before drivers had a table of their own, sessions and batches held the driver's state. The store
//! reads such rows like this:
//!
//! | old session state | driver | old batch state | driver |
//! |---|---|---|---|
//! | `starting`, step `queued`, `launching`, `connecting`, `context` | the state of that name | `starting`, step `queued`, `launching` | the state of that name |
//! | | | `starting`, step `submitted` | `connecting` |
//! | `running`, link L | `up`, link L | `running` | `up`, link `up` |
//! | `stopping` with `cause`, `failure`, `forced` | `stopping` with the same, `was_up` false | `stopping` with `cause`, `was_running` | `stopping` with `cause`, `forced` true, `was_up` = `was_running` |
//! | `ended` | no row | `ended` | no row |

mod end;
mod event;
mod interpreter;
mod record;
mod start;

use serde::{Deserialize, Serialize};

pub use self::end::{Departure, DriverEnd, Stopping, Unseen, Verdict};
pub use self::event::{DriverEffect, DriverEvent};
pub use self::interpreter::Interpreter;
pub use self::record::{
    DriverLocation, DriverProgram, DriverRecord, DriverTimes, DriverUse, Lease,
};
pub use self::start::{StartPhase, StartStep};
use crate::{Failure, FailureCode, Phase, StopCause};

/// The state of a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DriverState {
    /// The driver waits until fewer drivers start or run.
    Queued,
    /// The launcher is starting its process.
    Launching,
    /// The process runs. Its agent or application has not been heard of.
    Connecting,
    /// The agent is creating the SparkContext and the interpreter.
    Context,
    /// The agent is warm and waits for a session. There is no SparkContext.
    Primed,
    /// The driver serves its session, or its application runs.
    Up {
        /// The link to the agent. An application has no link; it is shown as `up`.
        link: Link,
    },
    /// The driver is being ended. Its process may still live.
    Stopping(Stopping),
    /// The driver is over, for good.
    Gone(DriverEnd),
}

/// The link to the agent of a driver that is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The agent is connected.
    Up,
    /// The agent was connected, and is not now.
    Lost,
    /// The server waits to hear of the agent: it was restarted, or the agent stays away for longer
    /// than it needs to connect again.
    Recovering,
}

/// An event that this state cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("driver: {event:?} cannot happen in {state:?}")]
pub struct IllegalDriverTransition {
    /// The state in which the event came.
    pub state: Box<DriverState>,
    /// The event.
    pub event: Box<DriverEvent>,
}

type Step = (DriverState, Vec<DriverEffect>);

impl DriverState {
    /// Tells whether the driver is over.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Gone(_))
    }

    /// Tells whether the driver is not up yet and is still wanted.
    pub fn is_starting(&self) -> bool {
        matches!(
            self,
            Self::Queued | Self::Launching | Self::Connecting | Self::Context
        )
    }

    /// A short name for logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Launching => "launching",
            Self::Connecting => "connecting",
            Self::Context => "context",
            Self::Primed => "primed",
            Self::Up { link: Link::Up } => "up",
            Self::Up { link: Link::Lost } => "lost",
            Self::Up {
                link: Link::Recovering,
            } => "recovering",
            Self::Stopping(_) => "stopping",
            Self::Gone(_) => "gone",
        }
    }

    /// The next state. An event that comes late or twice changes nothing; an event that cannot
    /// happen in this state is an error.
    pub fn on(
        self,
        program: DriverProgram,
        event: DriverEvent,
    ) -> Result<Step, IllegalDriverTransition> {
        match self {
            Self::Queued => on_queued(event),
            Self::Launching => on_launching(program, event),
            Self::Connecting => on_connecting(program, event),
            Self::Context => on_context(program, event),
            Self::Primed => on_primed(event),
            Self::Up { link } => on_up(program, link, event),
            Self::Stopping(stopping) => on_stopping(stopping, event),
            Self::Gone(end) => on_gone(end, event),
        }
    }
}

fn on_queued(event: DriverEvent) -> Result<Step, IllegalDriverTransition> {
    use DriverEvent as E;
    Ok(match event {
        E::LaunchAllowed => (DriverState::Launching, vec![DriverEffect::Launch]),
        E::LaunchFailed(failure) => launch_failed(failure),
        E::Stop(cause) => gone(DriverEnd {
            phase: Phase::Launch,
            cause: Some(cause),
            failure: None,
            forced: false,
            departure: None,
        }),
        E::FoundUnstarted => (DriverState::Queued, vec![DriverEffect::Queue]),
        E::AgentMissing | E::StopOverdue => (DriverState::Queued, vec![]),
        event @ (E::Launched
        | E::AgentConnected
        | E::AgentLost
        | E::Ready
        | E::Primed
        | E::Begin
        | E::AgentFailed(_)
        | E::ContextGone(_)
        | E::AgentRestarted
        | E::Exited(_)
        | E::FoundAlive) => return Err(illegal(DriverState::Queued, event)),
    })
}

fn on_launching(
    program: DriverProgram,
    event: DriverEvent,
) -> Result<Step, IllegalDriverTransition> {
    use DriverEvent as E;
    Ok(match (event, program) {
        (E::Launched | E::FoundAlive, _) => (DriverState::Connecting, vec![]),
        (E::LaunchFailed(failure), _) => launch_failed(failure),
        // A fast driver may be heard of before its launch was recorded.
        (E::AgentConnected, DriverProgram::Agent) => (DriverState::Context, vec![]),
        (E::Ready, DriverProgram::Application) => up(Link::Up),
        (E::FoundUnstarted, _) => (DriverState::Queued, vec![DriverEffect::Queue]),
        (E::Exited(departure), _) => exited(phase(program, Phase::Launch), departure),
        // The launch runs in its own task, and its report decides the next step.
        (E::Stop(cause), _) => (stopping(cause, true, false), vec![]),
        (E::AgentMissing | E::StopOverdue, _) => (DriverState::Launching, vec![]),
        (
            event @ (E::LaunchAllowed
            | E::AgentConnected
            | E::AgentLost
            | E::Ready
            | E::Primed
            | E::Begin
            | E::AgentFailed(_)
            | E::ContextGone(_)
            | E::AgentRestarted),
            _,
        ) => return Err(illegal(DriverState::Launching, event)),
    })
}

fn on_connecting(
    program: DriverProgram,
    event: DriverEvent,
) -> Result<Step, IllegalDriverTransition> {
    use DriverEvent as E;
    Ok(match (event, program) {
        (E::AgentConnected, DriverProgram::Agent) => (DriverState::Context, vec![]),
        (E::Ready, DriverProgram::Application) => up(Link::Up),
        (E::Exited(departure), _) => exited(phase(program, Phase::Connect), departure),
        (E::Stop(cause), _) => (stopping(cause, true, false), vec![DriverEffect::Terminate]),
        (E::AgentLost | E::AgentMissing | E::FoundAlive | E::StopOverdue, _) => {
            (DriverState::Connecting, vec![])
        }
        (
            event @ (E::LaunchAllowed
            | E::Launched
            | E::LaunchFailed(_)
            | E::AgentConnected
            | E::Ready
            | E::Primed
            | E::Begin
            | E::AgentFailed(_)
            | E::ContextGone(_)
            | E::AgentRestarted
            | E::FoundUnstarted),
            _,
        ) => return Err(illegal(DriverState::Connecting, event)),
    })
}

fn on_context(program: DriverProgram, event: DriverEvent) -> Result<Step, IllegalDriverTransition> {
    use DriverEvent as E;
    Ok(match (event, program) {
        (E::Primed, DriverProgram::Agent) => (DriverState::Primed, vec![]),
        (event, _) => return on_starting_context(program, event),
    })
}

fn on_starting_context(
    program: DriverProgram,
    event: DriverEvent,
) -> Result<Step, IllegalDriverTransition> {
    use DriverEvent as E;
    Ok(match event {
        E::Ready => up(Link::Up),
        E::AgentFailed(failure) | E::ContextGone(failure) => failed_agent(failure, false),
        E::Exited(departure) => exited(phase(program, Phase::Context), departure),
        E::Stop(cause) => (stopping(cause, false, false), vec![DriverEffect::AskToStop]),
        E::FoundAlive => (DriverState::Connecting, vec![]),
        // An agent that is restarted before it was ready has lost nothing.
        E::Launched
        | E::AgentConnected
        | E::AgentRestarted
        | E::AgentLost
        | E::AgentMissing
        | E::StopOverdue
        // The server tells an agent to begin again, in case that it has not heard.
        | E::Begin => (DriverState::Context, vec![]),
        event @ (E::LaunchAllowed | E::LaunchFailed(_) | E::FoundUnstarted | E::Primed) => {
            return Err(illegal(DriverState::Context, event));
        }
    })
}

/// A driver that waits keeps its state whether its agent is connected or not. A primed agent that is
/// restarted is primed again.
fn on_primed(event: DriverEvent) -> Result<Step, IllegalDriverTransition> {
    use DriverEvent as E;
    Ok(match event {
        E::Begin => (DriverState::Context, vec![]),
        E::AgentFailed(failure) | E::ContextGone(failure) => failed_agent(failure, false),
        E::Exited(departure) => exited(Phase::Context, departure),
        E::Stop(cause) => (stopping(cause, false, false), vec![DriverEffect::AskToStop]),
        E::Primed
        | E::AgentConnected
        | E::AgentRestarted
        | E::AgentLost
        | E::AgentMissing
        | E::FoundAlive
        | E::Launched
        | E::StopOverdue => (DriverState::Primed, vec![]),
        event @ (E::LaunchAllowed | E::LaunchFailed(_) | E::FoundUnstarted | E::Ready) => {
            return Err(illegal(DriverState::Primed, event));
        }
    })
}

fn on_up(
    program: DriverProgram,
    link: Link,
    event: DriverEvent,
) -> Result<Step, IllegalDriverTransition> {
    use DriverEvent as E;
    Ok(match (event, program) {
        (E::AgentConnected, DriverProgram::Agent) => up(Link::Up),
        (E::AgentLost, _) if link == Link::Up => up(Link::Lost),
        (E::AgentMissing, _) if link == Link::Lost => up(Link::Recovering),
        (E::AgentFailed(failure) | E::ContextGone(failure), _) => failed_agent(failure, true),
        (E::AgentRestarted, _) => failed_agent(restarted(), true),
        (E::Exited(departure), _) => exited(Phase::Running, departure),
        (E::Stop(cause), DriverProgram::Agent) => {
            (stopping(cause, false, true), vec![DriverEffect::AskToStop])
        }
        (E::Stop(cause), DriverProgram::Application) => {
            (stopping(cause, true, true), vec![DriverEffect::Terminate])
        }
        (E::FoundAlive, DriverProgram::Agent) => up(Link::Recovering),
        // An application may be heard of before its launch was recorded.
        (E::Launched | E::FoundAlive, DriverProgram::Application) => up(link),
        (E::Ready | E::AgentLost | E::AgentMissing | E::StopOverdue, _) => up(link),
        (
            event @ (E::LaunchAllowed
            | E::Launched
            | E::LaunchFailed(_)
            | E::AgentConnected
            | E::Primed
            | E::Begin
            | E::FoundUnstarted),
            _,
        ) => return Err(illegal(DriverState::Up { link }, event)),
    })
}

fn on_stopping(stopping: Stopping, event: DriverEvent) -> Result<Step, IllegalDriverTransition> {
    use DriverEvent as E;
    let force = |stopping: Stopping| {
        let forced = Stopping {
            forced: true,
            ..stopping
        };
        (DriverState::Stopping(forced), vec![DriverEffect::Terminate])
    };
    Ok(match event {
        E::Exited(departure) => gone(end_of(stopping, Some(departure))),
        // Only a launch that was stopped halfway ends without a process.
        E::LaunchFailed(failure) => {
            let end = never_launched(stopping);
            gone(DriverEnd {
                failure: end.failure.or(Some(failure)),
                ..end
            })
        }
        E::FoundUnstarted => gone(never_launched(stopping)),
        E::Launched | E::FoundAlive => force(stopping),
        E::StopOverdue if !stopping.forced => force(stopping),
        // The agent came back while its driver is being stopped: it may not have heard of that.
        E::AgentConnected | E::AgentRestarted if !stopping.forced => (
            DriverState::Stopping(stopping),
            vec![DriverEffect::AskToStop],
        ),
        E::Ready => (
            DriverState::Stopping(Stopping {
                was_up: true,
                ..stopping
            }),
            vec![],
        ),
        E::StopOverdue
        | E::AgentConnected
        | E::AgentRestarted
        | E::AgentLost
        | E::AgentMissing
        | E::AgentFailed(_)
        | E::ContextGone(_)
        | E::Primed
        | E::Begin
        | E::Stop(_) => (DriverState::Stopping(stopping), vec![]),
        event @ E::LaunchAllowed => return Err(illegal(DriverState::Stopping(stopping), event)),
    })
}

fn on_gone(end: DriverEnd, event: DriverEvent) -> Result<Step, IllegalDriverTransition> {
    use DriverEvent as E;
    let stay = DriverState::Gone(end);
    match event {
        E::LaunchAllowed | E::Launched | E::FoundAlive => Err(illegal(stay, event)),
        _ => Ok((stay, vec![])),
    }
}

fn up(link: Link) -> Step {
    (DriverState::Up { link }, vec![])
}

fn stopping(cause: StopCause, forced: bool, was_up: bool) -> DriverState {
    DriverState::Stopping(Stopping {
        cause: Some(cause),
        failure: None,
        forced,
        was_up,
    })
}

fn failed_agent(failure: Failure, was_up: bool) -> Step {
    let stopping = Stopping {
        cause: None,
        failure: Some(failure),
        forced: false,
        was_up,
    };
    (
        DriverState::Stopping(stopping),
        vec![DriverEffect::AskToStop],
    )
}

fn gone(end: DriverEnd) -> Step {
    (DriverState::Gone(end), vec![])
}

fn launch_failed(failure: Failure) -> Step {
    gone(DriverEnd {
        phase: Phase::Launch,
        cause: None,
        failure: Some(failure),
        forced: false,
        departure: None,
    })
}

fn exited(phase: Phase, departure: Departure) -> Step {
    gone(DriverEnd {
        phase,
        cause: None,
        failure: None,
        forced: false,
        departure: Some(departure),
    })
}

fn end_of(stopping: Stopping, departure: Option<Departure>) -> DriverEnd {
    DriverEnd {
        phase: if stopping.was_up {
            Phase::Running
        } else {
            Phase::Stopping
        },
        cause: stopping.cause,
        failure: stopping.failure,
        forced: stopping.forced,
        departure,
    }
}

fn never_launched(stopping: Stopping) -> DriverEnd {
    DriverEnd {
        forced: false,
        ..end_of(stopping, None)
    }
}

/// An application is being submitted until it reports that it runs.
fn phase(program: DriverProgram, of_agent: Phase) -> Phase {
    match program {
        DriverProgram::Agent => of_agent,
        DriverProgram::Application => Phase::Submit,
    }
}

fn restarted() -> Failure {
    Failure {
        code: FailureCode::DriverRestarted,
        phase: Phase::Running,
        evidence: crate::Evidence::default(),
        message: "the resource manager restarted the driver, and its variables are lost".to_owned(),
        hint: "create a new session; set spark.driver.supervise to false to have a lost driver end"
            .to_owned(),
    }
}

fn illegal(state: DriverState, event: DriverEvent) -> IllegalDriverTransition {
    IllegalDriverTransition {
        state: Box::new(state),
        event: Box::new(event),
    }
}
