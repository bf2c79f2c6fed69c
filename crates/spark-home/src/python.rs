//! Finds the Python that drivers will use, and checks it.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::bounded::{Run, RunError};
use crate::spark::Version;
use crate::{Environment, Installation};

const PROBE_LIMIT: Duration = Duration::from_mins(1);

/// A Python interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Python {
    /// Its program.
    pub program: Utf8PathBuf,
    /// Its version, such as `3.11.7`.
    pub version: Version,
}

/// The reason why there is no Python.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// There is no such program.
    #[error("find the Python `{0}`")]
    Missing(String),
    /// It does not run.
    #[error("run the Python {program}")]
    Run {
        /// The program.
        program: Utf8PathBuf,
        /// The cause.
        #[source]
        source: RunError,
    },
    /// It runs and fails.
    #[error("run the Python {program}; it said: {said}")]
    Failed {
        /// The program.
        program: Utf8PathBuf,
        /// Its output.
        said: String,
    },
}

impl Python {
    /// Finds an interpreter by its name or path.
    pub fn find(environment: &Environment, name: &str) -> Result<Self, PythonError> {
        let program = environment
            .program(name)
            .ok_or_else(|| PythonError::Missing(name.to_owned()))?;
        let said = ask(
            &program,
            environment,
            &["-c", "import platform; print(platform.python_version())"],
        )?;
        let version = Version::parse(said.trim());
        let version = version.ok_or_else(|| PythonError::Failed {
            program: program.clone(),
            said: said.clone(),
        })?;
        Ok(Self { program, version })
    }

    /// Imports the PySpark of a Spark, and returns PySpark's version.
    pub fn import_pyspark(
        &self,
        environment: &Environment,
        spark: &Installation,
    ) -> Result<String, PythonError> {
        let script =
            "import sys; sys.path[:0] = sys.argv[1:]; import pyspark; print(pyspark.__version__)";
        let paths = pyspark_paths(&spark.home);
        let mut args = vec!["-c", script];
        args.extend(paths.iter().map(|path| path.as_str()));
        Ok(ask(&self.program, environment, &args)?.trim().to_owned())
    }
}

/// The places of PySpark and py4j in a Spark.
fn pyspark_paths(home: &Utf8Path) -> Vec<Utf8PathBuf> {
    let lib = home.join("python/lib");
    let mut paths = vec![home.join("python"), lib.join("pyspark.zip")];
    if let Ok(entries) = lib.read_dir_utf8() {
        let names = entries.filter_map(|entry| Some(entry.ok()?.into_path()));
        paths.extend(names.filter(|path| {
            path.file_name()
                .is_some_and(|name| name.starts_with("py4j-"))
        }));
    }
    paths
}

fn ask(
    program: &Utf8Path,
    environment: &Environment,
    args: &[&str],
) -> Result<String, PythonError> {
    let done = Run::new(program, &environment.inherited(), PROBE_LIMIT)
        .args(args)
        .finish()
        .map_err(|source| PythonError::Run {
            program: program.to_owned(),
            source,
        })?;
    if !done.status.success() {
        return Err(PythonError::Failed {
            program: program.to_owned(),
            said: done.tail(3),
        });
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The oldest Python that a Spark's own package says it works with.
pub fn oldest_for(spark: &Version) -> (u32, u32) {
    match spark.line() {
        (3, 0..=2) => (3, 6),
        (3, 3 | 4) => (3, 7),
        (3, _) => (3, 8),
        (4, 0) => (3, 9),
        (4, 1 | 2) => (3, 10),
        _ => (3, 11),
    }
}
