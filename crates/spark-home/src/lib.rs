//! Finds, installs and checks what drivers need: Spark, Java, Python, R and the compiled agent.
//!
//! Purpose: everything that must be true of a machine before a driver can start there. Non-goals:
//! starting drivers, which `livius-launch` does.

mod agent;
mod archive;
mod bounded;
mod doctor;
mod environment;
pub mod files;
mod find;
mod flags;
mod java;
mod managed;
pub mod processes;
mod progress;
pub mod properties;
mod python;
mod r;
mod setup;
mod spark;
mod spark_conf;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod toolchain;

pub use agent::AgentError;
pub use archive::{Archive, ArchiveError, ArchiveFiles};
pub use bounded::{RunError, Stop};
pub use doctor::{AgentFacts, Finding, KindFacts, Report, SparkFacts, doctor};
pub use environment::Environment;
pub use find::{FindError, Found, Search, find, find_spark};
pub use flags::{Flags, FlagsError};
pub use java::{Fit, Java, JavaError, Origin, fit};
pub use managed::{InstallError, default_spark};
pub use progress::{Progress, Step};
pub use python::{Python, PythonError};
pub use r::{R, RError};
pub use setup::{SetupError, SetupOrder, setup, verify};
pub use spark::{Installation, Jar, SparkError, Version};
pub use spark_conf::{ConfError, SparkConf};
pub use toolchain::{Toolchain, ToolchainError};
