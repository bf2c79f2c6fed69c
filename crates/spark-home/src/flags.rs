//! Asks a Spark for the JVM flags that it needs.

use std::io;
use std::time::Duration;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::bounded::{Run, RunError};
use crate::{Environment, Installation, Java, files};

const PROBE_LIMIT: Duration = Duration::from_mins(1);
const FILE: &str = "flags.json";
const SUBMIT: &str = "org.apache.spark.deploy.SparkSubmit";

/// The flags that a Spark uses for its own drivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// The flags, without heap size and class path.
    pub jvm: Vec<String>,
    /// Names of the jars that this Spark puts before all others.
    pub first_jars: Vec<String>,
}

/// The reason why the flags are not known.
#[derive(Debug, thiserror::Error)]
pub enum FlagsError {
    /// The JVM did not run to its end.
    #[error("ask Spark for its JVM flags")]
    Run(#[source] RunError),
    /// The answer could not be understood.
    #[error("ask Spark for its JVM flags; it said: {0}")]
    Failed(String),
    /// The answer could not be cached.
    #[error("keep Spark's JVM flags")]
    Keep(#[source] io::Error),
}

impl Flags {
    /// Reads cached flags from a directory, or asks Spark for them and caches the answer there.
    pub(crate) fn of(
        spark: &Installation,
        java: &Java,
        environment: &Environment,
        cache: &Utf8Path,
    ) -> Result<Self, FlagsError> {
        if let Some(flags) = Self::kept(cache) {
            return Ok(flags);
        }
        let flags = Self::ask(spark, java, environment, cache)?;
        let text = serde_json::to_vec(&flags).map_err(|error| FlagsError::Keep(error.into()))?;
        files::write_private(&cache.join(FILE), &text).map_err(FlagsError::Keep)?;
        Ok(flags)
    }

    /// Reads cached flags from a directory.
    pub(crate) fn kept(cache: &Utf8Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(cache.join(FILE)).ok()?).ok()
    }

    fn ask(
        spark: &Installation,
        java: &Java,
        environment: &Environment,
        empty: &Utf8Path,
    ) -> Result<Self, FlagsError> {
        let mut variables = environment.for_tools();
        variables.insert("SPARK_HOME".to_owned(), spark.home.to_string());
        variables.insert("SPARK_SCALA_VERSION".to_owned(), spark.scala_line());
        // The cached answer serves all drivers, so the user's defaults must not be in it. Each
        // launch adds them.
        variables.insert("SPARK_CONF_DIR".to_owned(), empty.to_string());
        let run = Run::new(java.program(), &variables, PROBE_LIMIT)
            .args(["-XX:TieredStopAtLevel=1", "-cp", &spark.class_path()])
            .args(["org.apache.spark.launcher.Main", SUBMIT, "--version"]);
        let done = run.finish().map_err(FlagsError::Run)?;
        let answer = String::from_utf8_lossy(&done.stdout);
        let mut flags = parse(&answer, spark).ok_or_else(|| FlagsError::Failed(done.tail(10)))?;
        if flags.jvm.iter().any(|flag| flag.starts_with(ADD_MODULES)) {
            let present = modules(java, environment)?;
            flags.jvm.retain(|flag| {
                flag.strip_prefix(ADD_MODULES)
                    .is_none_or(|module| present.iter().any(|m| m == module))
            });
        }
        Ok(flags)
    }
}

const ADD_MODULES: &str = "--add-modules=";

/// The modules of a Java. A reduced Java may lack modules that Spark names but does not need, and a
/// JVM does not start with the name of a missing module.
fn modules(java: &Java, environment: &Environment) -> Result<Vec<String>, FlagsError> {
    let run =
        Run::new(java.program(), &environment.for_tools(), PROBE_LIMIT).args(["--list-modules"]);
    let done = run.finish().map_err(FlagsError::Run)?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    Ok(text
        .lines()
        .map(|line| line.split('@').next().unwrap_or(line).to_owned())
        .collect())
}

/// Reads the answer of Spark's launcher: a command line whose words end in NUL.
fn parse(answer: &str, spark: &Installation) -> Option<Flags> {
    let mut words = answer.split('\0').map(str::trim);
    words.find(|word| word.ends_with("/java") || *word == "java")?;
    let mut flags = Flags {
        jvm: Vec::new(),
        first_jars: Vec::new(),
    };
    while let Some(word) = words.next() {
        match word {
            SUBMIT => return Some(flags),
            "-cp" | "-classpath" => flags.first_jars = first_jars(words.next()?, spark),
            heap if heap.starts_with("-Xmx") => {}
            flag => flags.jvm.push(flag.to_owned()),
        }
    }
    None
}

/// The jars that the class path names one by one. They must come before the other jars.
fn first_jars(class_path: &str, spark: &Installation) -> Vec<String> {
    class_path
        .split(':')
        .filter_map(|entry| Utf8Path::new(entry).file_name())
        .filter(|name| spark.jars.iter().any(|jar| jar.name == *name))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spark::{Jar, Version};

    #[test]
    fn the_launchers_answer_is_taken_apart() {
        let jar = |name: &str| Jar {
            name: name.to_owned(),
            size: 1,
        };
        let spark = Installation {
            home: "/opt/spark".into(),
            version: Version::parse("4.1.4").unwrap(),
            scala: Version::parse("2.13.17").unwrap(),
            jars: vec![jar("a.jar"), jar("slf4j-api-2.0.17.jar")],
        };
        let answer = "a warning\n\0\n/opt/java/bin/java\0-cp\0/conf:/opt/spark/jars/slf4j-api-2.0.17.jar:/opt/spark/jars/*\0-Xmx1g\0\
                      -XX:+IgnoreUnrecognizedVMOptions\0--add-opens=java.base/java.lang=ALL-UNNAMED\0\
                      org.apache.spark.deploy.SparkSubmit\0--version\0";
        let flags = parse(answer, &spark).unwrap();
        assert_eq!(
            flags.jvm,
            [
                "-XX:+IgnoreUnrecognizedVMOptions",
                "--add-opens=java.base/java.lang=ALL-UNNAMED"
            ]
        );
        assert_eq!(flags.first_jars, ["slf4j-api-2.0.17.jar"]);
        assert_eq!(parse("Exception in thread main", &spark), None);
    }
}
