//! The test world: the whole application in one process, with drivers and agents that do what the test says.
//!
//! Purpose: the failures that real Spark cannot be made to have on demand. What real Spark can show is tested with real Spark.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

mod agent;
mod clock;
mod launcher;
mod world;

pub use agent::ScriptedAgent;
pub use clock::TestClock;
pub use launcher::{FakeLauncher, FakeProcess};
pub use livius_launch::{DriverOrder, Program};
pub use world::{Answer, Disk, World, WorldOptions, eventually};
