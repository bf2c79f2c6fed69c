//! The record of a driver in the store.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::DriverState;
use crate::app::AppInfo;
use crate::pool::Pooled;
use crate::{BatchId, DriverId, SessionId};

/// A driver as the store keeps it, with all data that must survive the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverRecord {
    /// The driver's name.
    pub id: DriverId,
    /// The version of the stored row. An update that names another version is refused.
    #[serde(default)]
    pub version: u64,
    /// The program of the driver.
    pub program: DriverProgram,
    /// The session or batch that uses the driver, or the pool that keeps it.
    pub made_for: DriverUse,
    /// Its pool. `None` if it was started for its session or batch.
    #[serde(default)]
    pub pooled: Option<Box<Pooled>>,
    /// The driver's state.
    pub state: DriverState,
    /// The driver's location. `None` before the launch is recorded.
    pub location: Option<DriverLocation>,
    /// SHA-256 of the agent's secret, in hex. Each launch makes a new secret.
    pub token_hash: Option<String>,
    /// The agent process that was last connected. Another value means that the driver was
    /// restarted.
    pub instance: Option<String>,
    /// The Spark application, once known.
    pub app: Option<AppInfo>,
    /// The times of the driver's life.
    pub times: DriverTimes,
    /// The server that drives this driver, and the end of its claim.
    pub lease: Option<Lease>,
}

impl DriverRecord {
    /// The record of a driver that was just asked for.
    pub fn new(
        id: DriverId,
        program: DriverProgram,
        made_for: DriverUse,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            version: 0,
            program,
            made_for,
            pooled: None,
            state: DriverState::Queued,
            location: None,
            token_hash: None,
            instance: None,
            app: None,
            times: DriverTimes::new(created_at),
            lease: None,
        }
    }
}

/// When a driver came into its states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverTimes {
    /// The driver was asked for.
    pub created_at: Timestamp,
    /// The launcher was asked to start it.
    pub launched_at: Option<Timestamp>,
    /// Its process ran.
    #[serde(default)]
    pub connecting_at: Option<Timestamp>,
    /// Its agent began to create the SparkContext. A primed driver begins again when a session takes
    /// it.
    #[serde(default)]
    pub context_at: Option<Timestamp>,
    /// Its SparkContext was up, and the agent waited for the first interpreter.
    #[serde(default)]
    pub interpreter_at: Option<Timestamp>,
    /// It was primed, and began to wait for a session.
    #[serde(default)]
    pub primed_at: Option<Timestamp>,
    /// It was up for the first time.
    pub up_at: Option<Timestamp>,
    /// It was asked to end.
    #[serde(default)]
    pub stopping_at: Option<Timestamp>,
    /// It was gone.
    pub ended_at: Option<Timestamp>,
}

impl DriverTimes {
    /// The times of a driver that was just asked for.
    pub fn new(created_at: Timestamp) -> Self {
        Self {
            created_at,
            launched_at: None,
            connecting_at: None,
            context_at: None,
            interpreter_at: None,
            primed_at: None,
            up_at: None,
            stopping_at: None,
            ended_at: None,
        }
    }

    /// Notes that the driver is in this state now. `before` is the state that it was in.
    pub fn note(&mut self, before: &DriverState, state: &DriverState, now: Timestamp) {
        let first = |time: &mut Option<Timestamp>| *time = time.or(Some(now));
        match state {
            // The start begins again from the queue.
            DriverState::Queued => *self = Self::new(self.created_at),
            DriverState::Launching => self.launched_at = Some(now),
            DriverState::Connecting => first(&mut self.connecting_at),
            DriverState::Context if *before == DriverState::Primed => {
                self.context_at = Some(now);
                self.interpreter_at = None;
            }
            DriverState::Context => first(&mut self.context_at),
            DriverState::Primed => self.primed_at = Some(now),
            DriverState::Up { .. } => first(&mut self.up_at),
            DriverState::Stopping(_) => first(&mut self.stopping_at),
            DriverState::Gone(_) => self.ended_at = Some(now),
        }
    }
}

/// The right of one server to drive a driver. Another server may take over when it has run out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The name of the server.
    pub server: String,
    /// When the lease runs out.
    pub until: Timestamp,
}

/// The program of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverProgram {
    /// Our agent, which serves sessions.
    Agent,
    /// The application of a batch.
    Application,
}

/// The session or batch that uses a driver, or the pool that keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverUse {
    /// This session.
    Session(SessionId),
    /// This batch.
    Batch(BatchId),
    /// A session to come. The record tells which pool keeps the driver.
    Pool,
}

/// A driver's location: a text that its launcher writes and reads. It is opaque to other code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DriverLocation(String);

impl DriverLocation {
    /// Takes a launcher's text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The launcher's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DriverLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
