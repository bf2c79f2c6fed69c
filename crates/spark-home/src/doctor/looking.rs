//! Checks Spark, Java, the agent and the languages one after the other.

use super::{AgentFacts, Finding};
use crate::agent::Agent;
use crate::archive::Archive;
use crate::find::{Found, Search, find_java};
use crate::flags::Flags;
use crate::java::{Java, Origin};
use crate::python::{Python, oldest_for};
use crate::r::R;
use crate::setup::{AGENTS, verify};
use crate::spark::{Installation, Version};
use crate::spark_conf::SparkConf;

pub(super) fn look_for_java(search: &Search, spark: &Version) -> Finding<Java> {
    match find_java(search, spark) {
        Ok(java) => Finding::Present {
            warning: java.warning(spark),
            what: java,
        },
        Err(error) => Finding::missing(&error, error.hint()),
    }
}

pub(super) fn look_for_agent(
    search: &Search,
    spark: &Installation,
    spark_origin: Origin,
    java: Option<&Java>,
    run: bool,
) -> Finding<AgentFacts> {
    let Some(java) = java else {
        let remedy = "find a Java first".to_owned();
        return Finding::Missing {
            problem: "there is no Java to compile the agent with".to_owned(),
            remedy,
        };
    };
    let agents = search.runtimes.join(AGENTS);
    let mut check = None;
    if run {
        let found = Found {
            spark: spark.clone(),
            spark_origin,
            java: java.clone(),
            warnings: Vec::new(),
        };
        match verify(search, &found) {
            Ok(said) => check = Some(said),
            Err(error) => return Finding::missing(&error, error.hint()),
        }
    }
    let agent = Agent::find(&agents, spark, java);
    let flags = agent.as_ref().and_then(|agent| Flags::kept(&agent.dir));
    let class_archive =
        flags.and_then(|flags| Archive::place(&search.runtimes, spark, java, &flags).usable());
    let class_archive = class_archive.map(|files| files.classes);
    let jar = agent.map(|agent| agent.jar());
    let warning = jar.is_none().then(|| {
        "not compiled yet: `livius setup` does it, or the first session (about 15 s)".to_owned()
    });
    let facts = AgentFacts {
        jar,
        class_archive,
        check,
    };
    Finding::present_as(facts, warning)
}

/// The languages that run in their own processes.
pub(super) struct Languages {
    pub(super) python: Finding<Python>,
    pub(super) python3: Option<Finding<Python>>,
    pub(super) r: Finding<R>,
}

pub(super) fn look_for_languages(search: &Search, spark: Option<&Installation>) -> Languages {
    let conf = spark.and_then(|spark| SparkConf::read(spark, &search.environment).ok());
    let setting = |key: &str, variable: &str| {
        let of_conf = conf.as_ref().and_then(|conf| {
            conf.defaults
                .get(key)
                .or_else(|| conf.environment.get(variable))
                .cloned()
        });
        of_conf
            .or_else(|| search.environment.get(variable).map(str::to_owned))
            .filter(|value| !value.is_empty())
    };
    let python =
        setting("spark.pyspark.python", "PYSPARK_PYTHON").unwrap_or_else(|| "python3".to_owned());
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
        format!(
            "install Python {major}.{minor} or newer, and name it in PYSPARK_PYTHON when it is not `python3` on the PATH"
        )
    };
    let python = match Python::find(&search.environment, name) {
        Ok(python) => python,
        Err(error) => return Finding::missing(&error, remedy()),
    };
    let Some(spark) = spark else {
        return Finding::Present {
            what: python,
            warning: None,
        };
    };
    if let Err(error) = python.import_pyspark(&search.environment, spark) {
        return Finding::missing(&error, remedy());
    }
    let (major, minor) = oldest_for(&spark.version);
    let old = python.version.line() < (major, minor);
    let warning = old.then(|| {
        let spark = &spark.version;
        format!("Spark {spark} is made for Python {major}.{minor} and newer")
    });
    Finding::present_as(python, warning)
}

fn look_for_r(search: &Search, spark: Option<&Installation>, name: &str) -> Finding<R> {
    match R::find(&search.environment, name, spark) {
        Ok(r) => Finding::Present {
            warning: spark.and_then(|spark| r.warning(&spark.version)),
            what: r,
        },
        Err(error) => Finding::missing(&error, error.hint()),
    }
}
