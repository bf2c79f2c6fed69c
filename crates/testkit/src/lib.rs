//! The test world: the whole application in one process, with scripted drivers and agents.
//!
//! Purpose: failures that real Spark does not produce on demand. Other tests use real Spark, the
//! real YARN of [`YarnCluster`], and the real Kubernetes of [`KubernetesCluster`].

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

mod agent;
mod clock;
mod daemon;
mod kubernetes;
mod launcher;
mod one_world;
mod proof;
mod rest;
pub mod texts;
mod world;
mod yarn;

pub use agent::ScriptedAgent;
pub use clock::TestClock;
pub use kubernetes::{Credentials, Image, KubernetesCluster};
pub use launcher::{FakeLauncher, FakeProcess};
pub use livius_launch::{DriverOrder, Program, Sighting, Start};
pub use one_world::{CaseIn, run_in_one_world};
pub use proof::AgentProof;
pub use rest::pass;
pub use world::{Answer, Disk, World, WorldOptions, eventually};
pub use yarn::YarnCluster;
