//! The steps of a set-up, and its progress.

use camino::Utf8Path;
use serde::Serialize;

/// A step of setting up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Installing Spark.
    Spark,
    /// Installing Java.
    Java,
    /// Compiling the agent.
    Agent,
    /// Running a small job.
    Check,
    /// Making the archive of Spark's classes.
    Archive,
}

/// The progress of a set-up.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A step begins. The text names its object.
    Begun(Step, &'a str),
    /// Another process runs the same step. We wait for it.
    Waiting(Step),
    /// A line of output of the step's program.
    Line(&'a str),
    /// A step has nothing to do: its result exists.
    Present(Step, &'a Utf8Path),
    /// A step is done, with its result.
    Ended(Step, &'a Utf8Path),
}
