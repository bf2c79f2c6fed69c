//! `livius doctor`: reports what is installed, what works with it, and how to fix the rest.

mod looking;

use std::error::Error;

use camino::Utf8PathBuf;
use livius_domain::{Kind, chain};
use serde::Serialize;

use self::looking::{Languages, look_for_agent, look_for_java, look_for_languages};
use crate::find::{Search, find_spark};
use crate::java::{Java, Origin};
use crate::python::Python;
use crate::r::R;
use crate::spark::Version;
use crate::spark_conf::SparkConf;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Finding<T> {
    /// It is there and can be used.
    Present {
        /// The thing that was found.
        #[serde(flatten)]
        what: T,
        /// A warning about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        warning: Option<String>,
    },
    /// It is not there, or cannot be used.
    Missing {
        /// The reason.
        problem: String,
        /// A hint for the user.
        remedy: String,
    },
}

impl<T> Finding<T> {
    /// The thing that was found, if it can be used.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present { what, .. } => Some(what),
            Self::Missing { .. } => None,
        }
    }

    fn present_as(what: T, warning: Option<String>) -> Self {
        Self::Present { what, warning }
    }

    fn missing(error: &dyn Error, remedy: String) -> Self {
        Self::Missing {
            problem: format!("could not {}", chain(error)),
            remedy,
        }
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
    /// The way it was found.
    pub origin: Origin,
}

/// The compiled agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentFacts {
    /// Its jar, once it is compiled: by `livius setup`, or by the first session.
    pub jar: Option<Utf8PathBuf>,
    /// The archive of Spark's classes, once it is made: by `livius setup`, or after the first
    /// session.
    pub class_archive: Option<Utf8PathBuf>,
    /// The output of the small Spark job, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

/// The judgement whether sessions of a kind would work here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindFacts {
    /// The kind.
    pub kind: Kind,
    /// True if its statements would run.
    pub works: bool,
    /// The reason why they would not run, with a hint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The report of `livius doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// True if sessions can be started: Spark, Java and the agent work together.
    pub healthy: bool,
    /// The Spark.
    pub spark: Finding<SparkFacts>,
    /// The Java.
    pub java: Finding<Java>,
    /// The agent.
    pub agent: Finding<AgentFacts>,
    /// The Python of kind `pyspark`.
    pub python: Finding<Python>,
    /// The Python of kind `pyspark3`, if another one is configured for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python3: Option<Finding<Python>>,
    /// The R of kind `sparkr`, with or without Spark's R package.
    pub r: Finding<R>,
    /// The judgement for each kind of session.
    pub kinds: Vec<KindFacts>,
}

/// Checks everything that sessions need. With `run` it also compiles the agent and runs a small
/// Spark job.
pub fn doctor(search: &Search, run: bool) -> Report {
    let spark = find_spark(search);
    let (spark, origin) = match spark {
        Ok(found) => found,
        Err(error) => return without_spark(search, Finding::missing(&error, error.hint())),
    };
    let java = look_for_java(search, &spark.version);
    let agent = look_for_agent(search, &spark, origin, java.present(), run);
    let languages = look_for_languages(search, Some(&spark));
    let broken = SparkConf::read(&spark, &search.environment).err();
    let what = SparkFacts {
        home: spark.home,
        version: spark.version,
        scala: spark.scala,
        origin,
    };
    let spark = broken.map_or(Finding::present_as(what, None), |error| {
        let remedy = "correct the file in Spark's configuration directory";
        Finding::missing(&error, remedy.to_owned())
    });
    conclude(spark, java, agent, languages)
}

fn without_spark(search: &Search, spark: Finding<SparkFacts>) -> Report {
    // A Spark that is installed later needs at least this Java.
    let java = look_for_java(search, &Version::parse("4.0.0").expect("it is a version"));
    let remedy = "find a Spark first".to_owned();
    let agent = Finding::Missing {
        problem: "there is no Spark to compile the agent with".to_owned(),
        remedy,
    };
    conclude(spark, java, agent, look_for_languages(search, None))
}

fn conclude(
    spark: Finding<SparkFacts>,
    java: Finding<Java>,
    agent: Finding<AgentFacts>,
    languages: Languages,
) -> Report {
    let Languages { python, python3, r } = languages;
    let healthy =
        spark.present().is_some() && java.present().is_some() && agent.present().is_some();
    let kinds = Kind::ALL.into_iter().map(|kind| {
        let needed = match kind {
            Kind::Spark | Kind::Sql | Kind::Shared => None,
            Kind::PySpark => trouble(&python),
            Kind::PySpark3 => trouble(python3.as_ref().unwrap_or(&python)),
            Kind::SparkR => trouble(&r),
        };
        let problem = trouble(&spark)
            .or_else(|| trouble(&java))
            .or_else(|| trouble(&agent))
            .or(needed);
        KindFacts {
            kind,
            works: problem.is_none(),
            problem,
        }
    });
    let kinds = kinds.collect();
    Report {
        healthy,
        spark,
        java,
        agent,
        python,
        python3,
        r,
        kinds,
    }
}

fn trouble<T>(finding: &Finding<T>) -> Option<String> {
    match finding {
        Finding::Present { .. } => None,
        Finding::Missing { problem, remedy } => Some(format!("{problem}; {remedy}")),
    }
}
