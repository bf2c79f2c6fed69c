//! Errors in the text of a scenario.

use thiserror::Error;

/// The reason why a scenario cannot be read.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// It is not a scenario.
    #[error("{0}")]
    Shape(#[from] serde_json::Error),
    /// A step is wrong.
    #[error("step {step}: {problem}")]
    Step {
        /// The number of the step, from 1.
        step: usize,
        /// The problem.
        problem: String,
    },
    /// The version is malformed.
    #[error("since: {0}")]
    Since(String),
    /// A scenario without this part tests nothing.
    #[error("{0}")]
    Rule(&'static str),
}
