//! The events of a driver, and the effects that its actor carries out.

use super::Departure;
use crate::{Failure, StopCause};

/// An event in the life of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriverEvent {
    /// A place among the starting drivers is free.
    LaunchAllowed,
    /// The process was started.
    Launched,
    /// The process could not be started; nothing is left of it.
    LaunchFailed(Failure),
    /// The agent connected, for the first time or again.
    AgentConnected,
    /// The connection is gone.
    AgentLost,
    /// The connection has been gone for longer than an agent needs to connect again.
    AgentMissing,
    /// The agent has its SparkContext and interpreter, or the application has begun to run.
    Ready,
    /// The agent is warm, and has no SparkContext.
    Primed,
    /// A session takes the driver, which is primed.
    Begin,
    /// The agent could not create its SparkContext or interpreter.
    AgentFailed(Failure),
    /// The SparkContext has stopped, and the agent has no other one.
    ContextGone(Failure),
    /// A new agent process connected where another one had been ready: its sessions' state is lost.
    AgentRestarted,
    /// The process and everything it started are gone.
    Exited(Departure),
    /// A user or a timeout wants the driver ended.
    Stop(StopCause),
    /// The agent was asked to stop and did not in time.
    StopOverdue,
    /// The server has just taken the driver from the store, and its process lives.
    FoundAlive,
    /// The server has just taken the driver from the store, and its process was never started.
    FoundUnstarted,
}

/// An action of the actor, after it has stored the new state and before it publishes it. The order
/// of the actions counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverEffect {
    /// Wait for a place among the starting drivers.
    Queue,
    /// Start the process.
    Launch,
    /// Ask the agent to stop, and begin to count the grace.
    AskToStop,
    /// End the process tree.
    Terminate,
}
