//! R: which one drivers will use, and whether Spark's package for it is there.

use std::time::Duration;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::bounded::{Run, RunError};
use crate::spark::Version;
use crate::{Environment, Installation};

const PROBE_LIMIT: Duration = Duration::from_mins(1);

/// An R with Spark's package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct R {
    /// Its program.
    pub program: Utf8PathBuf,
    /// R's version.
    pub version: String,
    /// The version of the `SparkR` package.
    pub sparkr: String,
}

/// Why R cannot be used with Spark.
#[derive(Debug, thiserror::Error)]
pub enum RError {
    /// There is no such program.
    #[error("find the R `{0}`")]
    Missing(String),
    /// It does not run.
    #[error("run the R {program}")]
    Run {
        /// The program.
        program: Utf8PathBuf,
        /// What went wrong.
        #[source]
        source: RunError,
    },
    /// It runs and fails.
    #[error("run the R {program}; it said: {said}")]
    Failed {
        /// The program.
        program: Utf8PathBuf,
        /// What it said.
        said: String,
    },
    /// Spark's package is nowhere.
    #[error("find the R package SparkR: Spark does not bring it, and it is not in R's own library")]
    NoSparkR,
}

impl RError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing(_) => "install R (Debian, Ubuntu: apt install r-base-core), or name it in SPARKR_DRIVER_R",
            Self::Run { .. } | Self::Failed { .. } => "check that this R runs, or name another in SPARKR_DRIVER_R",
            Self::NoSparkR => {
                "point SPARK_HOME at a whole Spark distribution (the one from PyPI has no R part), or install the package SparkR of \
                 the same version into R's library"
            }
        }
        .to_owned()
    }
}

impl R {
    /// What to know about using it for a Spark, if anything.
    pub(crate) fn warning(&self, spark: &Version) -> Option<String> {
        let same = Version::parse(&self.sparkr).is_some_and(|sparkr| sparkr.line() == spark.line());
        (!same).then(|| format!("the R package SparkR is of Spark {}, not of {spark}; they may not understand each other", self.sparkr))
    }

    /// Finds an R by its name or path, and Spark's package in the Spark or in R's own library.
    pub(crate) fn find(
        environment: &Environment,
        name: &str,
        spark: Option<&Installation>,
    ) -> Result<Self, RError> {
        let program = environment
            .program(name)
            .ok_or_else(|| RError::Missing(name.to_owned()))?;
        let library = spark
            .map(|spark| spark.home.join("R/lib").into_string())
            .unwrap_or_default();
        let script = "a <- commandArgs(TRUE); cat(as.character(getRversion()), '\\n'); \
                      cat(tryCatch(as.character(packageVersion('SparkR', lib.loc = c(a, .libPaths()))), error = function(e) ''), '\\n')";
        let done = Run::new(&program, &environment.inherited(), PROBE_LIMIT)
            .args([
                "--no-save",
                "--no-restore",
                "--no-init-file",
                "--slave",
                "-e",
                script,
                "--args",
                &library,
            ])
            .finish()
            .map_err(|source| RError::Run {
                program: program.clone(),
                source,
            })?;
        let said = String::from_utf8_lossy(&done.stdout);
        let mut lines = said.lines().map(|line| line.trim().to_owned());
        match (done.status.success(), lines.next(), lines.next()) {
            (true, Some(version), Some(sparkr)) if !version.is_empty() => {
                if sparkr.is_empty() {
                    Err(RError::NoSparkR)
                } else {
                    Ok(Self {
                        program,
                        version,
                        sparkr,
                    })
                }
            }
            _ => Err(RError::Failed {
                program,
                said: done.tail(3),
            }),
        }
    }
}
