//! What is known of a statement only while it runs: text that its code prints, and the stages of its
//! Spark jobs. Nothing here is stored.

use serde::{Deserialize, Serialize};

/// A stream that a statement's code prints to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A stage of a statement's Spark jobs that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageProgress {
    /// Spark's number of the stage.
    pub id: i32,
    /// Spark's name of the stage, such as `count at <console>:1`.
    pub name: String,
    /// The number of its tasks.
    pub tasks: u32,
    /// The number of its tasks that have succeeded.
    pub done: u32,
    /// The number of its tasks that run.
    pub running: u32,
}
