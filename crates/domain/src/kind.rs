//! The kinds of sessions and statements.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Livy's session kind. `Shared` is a session without a default: each statement names its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Scala.
    Spark,
    /// Python.
    PySpark,
    /// Python with the executable of `PYSPARK3_PYTHON`; shown as `pyspark`, as no client of today
    /// knows the name.
    PySpark3,
    /// R.
    SparkR,
    /// SQL.
    Sql,
    /// No default.
    Shared,
}

impl Kind {
    /// Every kind, for messages and tests.
    pub const ALL: [Self; 6] = [
        Self::Spark,
        Self::PySpark,
        Self::PySpark3,
        Self::SparkR,
        Self::Sql,
        Self::Shared,
    ];

    /// Reads a kind or one of its aliases. Case matters, as with Livy.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "spark" | "scala" => Self::Spark,
            "pyspark" | "python" => Self::PySpark,
            "pyspark3" | "python3" => Self::PySpark3,
            "sparkr" | "r" => Self::SparkR,
            "sql" => Self::Sql,
            "shared" => Self::Shared,
            _ => return None,
        })
    }

    /// The canonical name, as the agent knows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spark => "spark",
            Self::PySpark => "pyspark",
            Self::PySpark3 => "pyspark3",
            Self::SparkR => "sparkr",
            Self::Sql => "sql",
            Self::Shared => "shared",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
