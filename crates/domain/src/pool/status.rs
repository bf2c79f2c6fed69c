//! What is told of a pool.

use jiff::Timestamp;

use super::Level;
use crate::DriverId;

/// A pool at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStatus {
    /// Its name.
    pub name: String,
    /// How far its drivers are started.
    pub level: Level,
    /// How many drivers it wants to have now.
    pub wanted: usize,
    /// How many it has at most.
    pub max: usize,
    /// Whether its hours allow drivers now.
    pub is_open: bool,
    /// Why it has fewer drivers than it wants, if it starts none.
    pub waits_for: Option<&'static str>,
    /// Its drivers.
    pub drivers: Vec<PooledDriver>,
    /// What came of requests since the server started.
    pub counts: PoolCounts,
    /// The last start that failed, until one succeeds.
    pub last_failure: Option<PoolFailure>,
}

/// A driver that waits in a pool, or starts for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PooledDriver {
    /// Its name.
    pub id: DriverId,
    /// When the pool asked for it.
    pub since: Timestamp,
    /// Whether it can be had.
    pub state: PooledState,
}

/// Whether a driver of a pool can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PooledState {
    /// It starts, or waits for its turn.
    Starting,
    /// It waits for a session.
    Waiting,
    /// It is not connected.
    Away,
}

impl PooledState {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Waiting => "waiting",
            Self::Away => "away",
        }
    }
}

/// What came of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// Requests that got a driver.
    pub hits: u64,
    /// Requests that did not.
    pub misses: u64,
    /// Why they did not: the reason's name, the key that differed, and how often.
    pub reasons: Vec<(&'static str, Option<String>, u64)>,
}

/// A start that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolFailure {
    /// When.
    pub at: Timestamp,
    /// The reason.
    pub message: String,
    /// How many starts have failed in a row.
    pub in_a_row: u32,
    /// When the pool tries again. `None` if it waits for another configuration of Spark, because no
    /// start can succeed with this one.
    pub next_try: Option<Timestamp>,
}
