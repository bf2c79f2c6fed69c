//! `livius setup`: installs Spark and Java with Python, and proves that they work.

use std::fs;
use std::io;
use std::time::Duration;

use camino::Utf8Path;
use livius_domain::chain;

use crate::agent::{Agent, AgentError};
use crate::archive::{Archive, Trainee};
use crate::bounded::{Run, RunError, Stop};
use crate::find::{FindError, Found, Search, find_java, find_spark};
use crate::flags::{Flags, FlagsError};
use crate::java::{Java, JavaError, Origin};
use crate::managed::{InstallError, Installer, default_spark};
use crate::progress::{Progress, Step};
use crate::python::{Python, PythonError};
use crate::spark::{Installation, SparkError};

const CHECK_LIMIT: Duration = Duration::from_mins(3);
const CHECK_WORD: &str = "livius-self-check ok";
const CHECKED: &str = "checked";

/// The reason why setting up failed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The Spark that is named cannot be used.
    #[error(transparent)]
    Find(#[from] FindError),
    /// There is no Python to install with.
    #[error("install Spark without Python")]
    Python(#[source] PythonError),
    /// A package could not be installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The installed Spark cannot be used.
    #[error("use the Spark that was installed")]
    Spark(#[source] SparkError),
    /// The installed Java cannot be used.
    #[error("use the Java that was installed")]
    Java(#[source] JavaError),
    /// The agent could not be compiled.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The JVM flags are not known.
    #[error(transparent)]
    Flags(#[from] FlagsError),
    /// The small job did not run to its end.
    #[error("run a small Spark job")]
    Check(#[source] RunError),
    /// The small job failed.
    #[error("run a small Spark job; it said:\n{0}")]
    CheckFailed(String),
    /// Files could not be written.
    #[error("write to the runtimes directory")]
    Write(#[source] io::Error),
}

impl SetupError {
    /// A hint for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Find(error) => error.hint(),
            Self::Python(_) => "install Python 3.8 or newer with pip (Debian, Ubuntu: apt install python3 python3-pip), or point \
                SPARK_HOME at a Spark of your own"
                .to_owned(),
            Self::Install(error) => error.hint(),
            Self::Spark(error) => error.hint(),
            Self::Java(error) => error.hint(),
            Self::Agent(_) | Self::Flags(_) | Self::Check(_) | Self::CheckFailed(_) => {
                "run `livius doctor`; another Java or Spark may help (JAVA_HOME, SPARK_HOME)".to_owned()
            }
            Self::Write(_) => "check that the data directory can be written to".to_owned(),
        }
    }
}

/// An order for a set-up.
#[derive(Debug, Clone)]
pub struct SetupOrder {
    /// The places to look at and to install to.
    pub search: Search,
    /// The Spark to install. `None` uses an existing Spark, and installs the default if there is
    /// none.
    pub spark_version: Option<String>,
    /// True to run the small job even if it ran before.
    pub check_again: bool,
    /// True to make the archive of Spark's classes too.
    pub class_archive: bool,
}

/// Installs a Spark, a Java and a compiled agent where they are missing, and checks that they work
/// together. It can be repeated, interrupted and run twice at once. Existing parts are skipped
/// quickly.
pub fn setup(order: &SetupOrder, progress: &dyn Fn(Progress<'_>)) -> Result<Found, SetupError> {
    let (spark, spark_origin) = ensure_spark(order, progress)?;
    let java = ensure_java(&order.search, &spark, progress)?;
    let agents = order.search.runtimes.join(AGENTS);
    if Agent::find(&agents, &spark, &java).is_none() {
        progress(Progress::Begun(Step::Agent, spark.home.as_str()));
    }
    let waiting = || progress(Progress::Waiting(Step::Agent));
    let agent = Agent::ensure(&agents, &spark, &java, &order.search.environment, &waiting)?;
    progress(Progress::Ended(Step::Agent, &agent.dir));
    let checked = agent.dir.join(CHECKED);
    if order.check_again || !checked.exists() {
        progress(Progress::Begun(Step::Check, spark.home.as_str()));
        let said = check(&order.search, &spark, &java, &agent)?;
        fs::write(&checked, said).map_err(SetupError::Write)?;
        progress(Progress::Ended(Step::Check, &checked));
    } else {
        progress(Progress::Present(Step::Check, &checked));
    }
    if order.class_archive {
        make_archive(order, &spark, &java, &agent, progress)?;
    }
    let warnings = java.warning(&spark.version).into_iter().collect();
    Ok(Found {
        spark,
        spark_origin,
        java,
        warnings,
    })
}

/// Makes the archive of Spark's classes. Drivers start without it too, so a failure is only shown.
fn make_archive(
    order: &SetupOrder,
    spark: &Installation,
    java: &Java,
    agent: &Agent,
    progress: &dyn Fn(Progress<'_>),
) -> Result<(), SetupError> {
    let environment = &order.search.environment;
    let flags = &Flags::of(spark, java, environment, &agent.dir)?;
    let archive = Archive::place(&order.search.runtimes, spark, java, flags);
    if let Some(files) = archive.usable() {
        progress(Progress::Present(Step::Archive, &files.classes));
        return Ok(());
    }
    progress(Progress::Begun(Step::Archive, spark.home.as_str()));
    let trainee = Trainee {
        spark,
        java,
        flags,
        agent,
        environment,
        stop: &Stop::default(),
    };
    match archive.ensure(trainee, &|| progress(Progress::Waiting(Step::Archive))) {
        Ok(files) => progress(Progress::Ended(Step::Archive, &files.classes)),
        Err(error) => progress(Progress::Line(&format!("could not {}", chain(&error)))),
    }
    Ok(())
}

/// The directory of compiled agents, below the runtimes directory.
pub(crate) const AGENTS: &str = "agents";

fn ensure_spark(
    order: &SetupOrder,
    progress: &dyn Fn(Progress<'_>),
) -> Result<(Installation, Origin), SetupError> {
    if order.spark_version.is_none() {
        match find_spark(&order.search) {
            Ok((spark, origin)) => {
                progress(Progress::Present(Step::Spark, &spark.home));
                return Ok((spark, origin));
            }
            Err(FindError::NoSpark) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let search = &order.search;
    let python = Python::find(&search.environment, "python3").map_err(SetupError::Python)?;
    let version = order
        .spark_version
        .as_deref()
        .unwrap_or_else(|| default_spark(&python.version));
    let home = installer(search, &python, progress).spark(version)?;
    Ok((
        Installation::probe(&home).map_err(SetupError::Spark)?,
        Origin::Managed,
    ))
}

fn ensure_java(
    search: &Search,
    spark: &Installation,
    progress: &dyn Fn(Progress<'_>),
) -> Result<Java, SetupError> {
    if search.java_home.is_some() {
        return find_java(search, &spark.version).map_err(|error| SetupError::Find(error.into()));
    }
    if let Ok(java) = find_java(search, &spark.version) {
        progress(Progress::Present(Step::Java, &java.home));
        return Ok(java);
    }
    let python = Python::find(&search.environment, "python3").map_err(SetupError::Python)?;
    let home = installer(search, &python, progress).java(&spark.version)?;
    Java::probe(&home.join("bin/java"), Origin::Managed, &search.environment)
        .map_err(SetupError::Java)
}

fn installer<'a>(
    search: &'a Search,
    python: &'a Python,
    progress: &'a dyn Fn(Progress<'_>),
) -> Installer<'a> {
    Installer {
        python,
        environment: &search.environment,
        runtimes: &search.runtimes,
        progress,
    }
}

/// Runs a small Spark job and returns its output. It proves that Spark, Java and the agent work
/// together.
pub fn verify(search: &Search, found: &Found) -> Result<String, SetupError> {
    let agents = search.runtimes.join(AGENTS);
    let environment = &search.environment;
    let agent = Agent::ensure(&agents, &found.spark, &found.java, environment, &|| ())?;
    check(search, &found.spark, &found.java, &agent)
}

fn check(
    search: &Search,
    spark: &Installation,
    java: &Java,
    agent: &Agent,
) -> Result<String, SetupError> {
    let flags = Flags::of(spark, java, &search.environment, &agent.dir)?;
    let work = tempfile::Builder::new()
        .prefix(".check-")
        .tempdir_in(&agent.dir)
        .map_err(SetupError::Write)?;
    let dir = Utf8Path::from_path(work.path())
        .expect("it was made under a UTF-8 path with an ASCII prefix");
    let properties = dir.join("spark.properties");
    // The user's defaults are left out: the job checks the installation, not a cluster.
    fs::write(
        &properties,
        "spark.master=local[1]\nspark.ui.enabled=false\n",
    )
    .map_err(SetupError::Write)?;
    let mut variables = search.environment.for_tools();
    variables.insert("SPARK_HOME".to_owned(), spark.home.to_string());
    variables.insert("JAVA_HOME".to_owned(), java.home.to_string());
    variables.remove("SPARK_CONF_DIR");
    let first = flags
        .first_jars
        .iter()
        .map(|name| spark.jar_path(name).into_string());
    let class_path = first
        .chain([spark.class_path(), agent.jar().into_string()])
        .collect::<Vec<_>>()
        .join(":");
    let done = Run::new(java.program(), &variables, CHECK_LIMIT)
        .args(&flags.jvm)
        .args([
            "-Xmx512m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+PerfDisableSharedMem",
            &format!("-Djava.io.tmpdir={dir}"),
        ])
        .args([
            "-cp",
            &class_path,
            "org.apache.spark.deploy.SparkSubmit",
            "--properties-file",
            properties.as_str(),
        ])
        .args(["--class", "livius.agent.SelfCheck", "spark-internal"])
        .dir(dir)
        .finish()
        .map_err(SetupError::Check)?;
    let stdout = String::from_utf8_lossy(&done.stdout);
    let proof = stdout.lines().find(|line| line.starts_with(CHECK_WORD));
    match proof.filter(|_| done.status.success()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(SetupError::CheckFailed(done.tail(30))),
    }
}
