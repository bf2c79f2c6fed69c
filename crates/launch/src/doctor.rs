//! `livius doctor`: what is here, what would work with it, and what to do about the rest.

use std::error::Error;

use camino::Utf8PathBuf;
use domain::Kind;
use serde::Serialize;

use crate::agent::Agent;
use crate::find::{Found, Search, find_java, find_spark};
use crate::java::{Java, Origin};
use crate::python::{Python, oldest_for};
use crate::r::R;
use crate::setup::{AGENTS, verify};
use crate::spark::{Installation, Version};
use crate::spark_conf::SparkConf;

/// Something that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Finding<T> {
    /// It is there and can be used.
    Present {
        /// What it is.
        #[serde(flatten)]
        what: T,
        /// What to know about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        warning: Option<String>,
    },
    /// It is not there, or cannot be used.
    Missing {
        /// Why.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
}

impl<T> Finding<T> {
    /// What was found, if it can be used.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present { what, .. } => Some(what),
            Self::Missing { .. } => None,
        }
    }

    fn missing(error: &dyn Error, remedy: String) -> Self {
        Self::Missing { problem: format!("could not {}", chain(error)), remedy }
    }
}

/// The Spark that drivers would be started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SparkFacts {
    /// Its directory.
    pub home: Utf8PathBuf,
    /// Its version.
    pub version: Version,
    /// Its Scala.
    pub scala: Version,
    /// How it was found.
    pub origin: Origin,
}

/// The compiled agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentFacts {
    /// Its jar.
    pub jar: Utf8PathBuf,
    /// What the small Spark job said, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

/// What sessions of a kind would meet here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindFacts {
    /// The kind.
    pub kind: Kind,
    /// Whether its statements would run.
    pub works: bool,
    /// Why not, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// All that `livius doctor` has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether sessions can be started: Spark, Java and the agent work together.
    pub healthy: bool,
    /// The Spark.
    pub spark: Finding<SparkFacts>,
    /// The Java.
    pub java: Finding<Java>,
    /// The agent.
    pub agent: Finding<AgentFacts>,
    /// The Python of kind `pyspark`.
    pub python: Finding<Python>,
    /// The Python of kind `pyspark3`, where it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python3: Option<Finding<Python>>,
    /// The R of kind `sparkr`, with Spark's R package.
    pub r: Finding<R>,
    /// What each kind of session would meet.
    pub kinds: Vec<KindFacts>,
}

/// Looks at everything that sessions need. With `run` it goes to the end of it: compiles the agent and runs a small Spark job.
pub fn doctor(search: &Search, run: bool) -> Report {
    let spark = find_spark(search);
    let (spark, origin) = match spark {
        Ok(found) => found,
        Err(error) => return without_spark(search, Finding::missing(&error, error.hint())),
    };
    let java = look_for_java(search, &spark.version);
    let agent = look_for_agent(search, &spark, origin, java.present(), run);
    let languages = look_for_languages(search, Some(&spark));
    let spark = match SparkConf::read(&spark, &search.environment) {
        Err(error) => Finding::missing(&error, "correct the file in Spark's configuration directory".to_owned()),
        Ok(_) => {
            let what = SparkFacts { home: spark.home, version: spark.version, scala: spark.scala, origin };
            Finding::Present { what, warning: None }
        }
    };
    conclude(spark, java, agent, languages)
}

fn without_spark(search: &Search, spark: Finding<SparkFacts>) -> Report {
    // Whatever Spark comes, it will want at least this.
    let java = look_for_java(search, &Version::parse("4.0.0").expect("it is a version"));
    let remedy = "find a Spark first".to_owned();
    let agent = Finding::Missing { problem: "there is no Spark to compile the agent with".to_owned(), remedy };
    conclude(spark, java, agent, look_for_languages(search, None))
}

fn look_for_java(search: &Search, spark: &Version) -> Finding<Java> {
    match find_java(search, spark) {
        Ok(java) => Finding::Present { warning: java.warning(spark), what: java },
        Err(error) => Finding::missing(&error, error.hint()),
    }
}

fn look_for_agent(
    search: &Search,
    spark: &Installation,
    spark_origin: Origin,
    java: Option<&Java>,
    run: bool,
) -> Finding<AgentFacts> {
    let Some(java) = java else {
        let remedy = "find a Java first".to_owned();
        return Finding::Missing { problem: "there is no Java to compile the agent with".to_owned(), remedy };
    };
    let agents = search.runtimes.join(AGENTS);
    let mut check = None;
    if run {
        let found = Found { spark: spark.clone(), spark_origin, java: java.clone(), warnings: Vec::new() };
        match verify(search, &found) {
            Ok(said) => check = Some(said),
            Err(error) => return Finding::missing(&error, error.hint()),
        }
    }
    match Agent::find(&agents, spark, java) {
        Some(agent) => Finding::Present { what: AgentFacts { jar: agent.jar(), check }, warning: None },
        None => Finding::Missing {
            problem: "the agent is not compiled yet".to_owned(),
            remedy: "run `livius setup`, or let the first session do it (about 15 s)".to_owned(),
        },
    }
}

/// The languages that run in processes of their own.
struct Languages {
    python: Finding<Python>,
    python3: Option<Finding<Python>>,
    r: Finding<R>,
}

fn look_for_languages(search: &Search, spark: Option<&Installation>) -> Languages {
    let conf = spark.and_then(|spark| SparkConf::read(spark, &search.environment).ok());
    let setting = |key: &str, variable: &str| {
        let of_conf = conf.as_ref().and_then(|conf| conf.defaults.get(key).or_else(|| conf.environment.get(variable)).cloned());
        of_conf.or_else(|| search.environment.get(variable).map(str::to_owned)).filter(|value| !value.is_empty())
    };
    let python = setting("spark.pyspark.python", "PYSPARK_PYTHON").unwrap_or_else(|| "python3".to_owned());
    let r = setting("spark.r.shell.command", "SPARKR_DRIVER_R").unwrap_or_else(|| "R".to_owned());
    let python3 = setting("PYSPARK3_PYTHON", "PYSPARK3_PYTHON");
    Languages {
        python: look_for_python(search, spark, &python),
        python3: python3.map(|name| look_for_python(search, spark, &name)),
        r: look_for_r(search, spark, &r),
    }
}

fn look_for_python(search: &Search, spark: Option<&Installation>, name: &str) -> Finding<Python> {
    let remedy = || {
        let (major, minor) = spark.map_or((3, 8), |spark| oldest_for(&spark.version));
        format!("install Python {major}.{minor} or newer, and name it in PYSPARK_PYTHON when it is not `python3` on the PATH")
    };
    let python = match Python::find(&search.environment, name) {
        Ok(python) => python,
        Err(error) => return Finding::missing(&error, remedy()),
    };
    let Some(spark) = spark else { return Finding::Present { what: python, warning: None } };
    match python.import_pyspark(&search.environment, spark) {
        Err(error) => Finding::missing(&error, remedy()),
        Ok(_) => {
            let (major, minor) = oldest_for(&spark.version);
            let old = python.version.line() < (major, minor);
            let warning = old.then(|| format!("Spark {} is made for Python {major}.{minor} and newer", spark.version));
            Finding::Present { what: python, warning }
        }
    }
}

fn look_for_r(search: &Search, spark: Option<&Installation>, name: &str) -> Finding<R> {
    match R::find(&search.environment, name, spark) {
        Ok(r) => Finding::Present { warning: spark.and_then(|spark| r.warning(&spark.version)), what: r },
        Err(error) => Finding::missing(&error, error.hint()),
    }
}

fn conclude(
    spark: Finding<SparkFacts>,
    java: Finding<Java>,
    agent: Finding<AgentFacts>,
    languages: Languages,
) -> Report {
    let Languages { python, python3, r } = languages;
    let healthy = spark.present().is_some() && java.present().is_some() && agent.present().is_some();
    let kinds = Kind::ALL.into_iter().map(|kind| {
        let needed = match kind {
            Kind::Spark | Kind::Sql | Kind::Shared => None,
            Kind::PySpark => trouble(&python),
            Kind::PySpark3 => trouble(python3.as_ref().unwrap_or(&python)),
            Kind::SparkR => trouble(&r),
        };
        let problem = trouble(&spark).or_else(|| trouble(&java)).or_else(|| trouble(&agent)).or(needed);
        KindFacts { kind, works: problem.is_none(), problem }
    });
    let kinds = kinds.collect();
    Report { healthy, kinds, spark, java, agent, python, python3, r }
}

fn trouble<T>(finding: &Finding<T>) -> Option<String> {
    match finding {
        Finding::Present { .. } => None,
        Finding::Missing { problem, remedy } => Some(format!("{problem}; {remedy}")),
    }
}

/// An error with all its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
