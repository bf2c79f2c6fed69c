//! Finds the R that drivers will use, and Spark's package for it.

use std::time::Duration;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::bounded::{Run, RunError};
use crate::spark::Version;
use crate::{Environment, Installation};

const NO_SPARKR: &str = "R code runs, without `spark` and `sc`: the R package SparkR is neither in the Spark (the one from PyPI has no R \
                         part) nor in R's own library; point SPARK_HOME at a whole Spark distribution, or install SparkR of its version";

const PROBE_LIMIT: Duration = Duration::from_mins(1);

/// An R, with or without Spark's package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct R {
    /// Its program.
    pub program: Utf8PathBuf,
    /// R's version.
    pub version: String,
    /// The version of the `SparkR` package. Without it R code runs, but cannot use Spark.
    pub sparkr: Option<String>,
}

/// The reason why R cannot be used with Spark.
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
        /// The cause.
        #[source]
        source: RunError,
    },
    /// It runs and fails.
    #[error("run the R {program}; it said: {said}")]
    Failed {
        /// The program.
        program: Utf8PathBuf,
        /// Its output.
        said: String,
    },
}

impl RError {
    /// A hint for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing(_) => {
                "install R (Debian, Ubuntu: apt install r-base-core), or name it in SPARKR_DRIVER_R"
            }
            Self::Run { .. } | Self::Failed { .. } => {
                "check that this R runs, or name another in SPARKR_DRIVER_R"
            }
        }
        .to_owned()
    }
}

impl R {
    /// A warning about its use with a Spark, if there is one.
    pub(crate) fn warning(&self, spark: &Version) -> Option<String> {
        let Some(sparkr) = &self.sparkr else {
            return Some(NO_SPARKR.to_owned());
        };
        let same = Version::parse(sparkr).is_some_and(|found| found.line() == spark.line());
        (!same).then(|| {
            format!("the R package SparkR is of Spark {sparkr}, not of {spark}; they may not understand each other")
        })
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
                let sparkr = Some(sparkr).filter(|version| !version.is_empty());
                Ok(Self {
                    program,
                    version,
                    sparkr,
                })
            }
            _ => Err(RError::Failed {
                program,
                said: done.tail(3),
            }),
        }
    }
}
