//! A finding about a cluster.

use serde::Serialize;

/// A finding, with a remedy unless it is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Note {
    /// As it should be.
    Good {
        /// The finding, as a sentence without its end.
        what: String,
    },
    /// It may keep drivers from working.
    Warning {
        /// The finding, as a sentence without its end.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// It keeps drivers from working.
    Problem {
        /// The finding, as a sentence without its end.
        what: String,
        /// What to do.
        remedy: String,
    },
}

impl Note {
    pub fn good(what: impl Into<String>) -> Self {
        Self::Good { what: what.into() }
    }

    pub fn warning(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Warning {
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub fn problem(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Problem {
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// Tells whether drivers cannot work.
    pub fn is_problem(&self) -> bool {
        matches!(self, Self::Problem { .. })
    }

    /// The finding in one or two lines.
    pub fn text(&self) -> String {
        match self {
            Self::Good { what } => format!("ok       {what}"),
            Self::Warning { what, remedy } => {
                format!("WARNING  {what}\n           what to do: {remedy}")
            }
            Self::Problem { what, remedy } => {
                format!("PROBLEM  {what}\n           what to do: {remedy}")
            }
        }
    }
}
