//! Picks a Spark and a Java: the configured one, the environment's, or one that `livius setup`
//! made.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::java::{Java, JavaError, Origin};
use crate::spark::{Installation, SparkError, Version};
use crate::{Environment, managed};

/// The places to look for Spark and Java.
#[derive(Debug, Clone)]
pub struct Search {
    /// The environment.
    pub environment: Environment,
    /// The directory of managed installations and compiled agents.
    pub runtimes: Utf8PathBuf,
    /// The Spark that the configuration names. It wins over `SPARK_HOME`.
    pub spark_home: Option<Utf8PathBuf>,
    /// The Java that the configuration names. It wins over `JAVA_HOME`.
    pub java_home: Option<Utf8PathBuf>,
}

/// A Spark, and a Java to run it with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The Spark.
    pub spark: Installation,
    /// Its origin.
    pub spark_origin: Origin,
    /// The Java.
    pub java: Java,
    /// Warnings about this pair, for people.
    pub warnings: Vec<String>,
}

/// The reason why there is nothing to start drivers with.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is none anywhere.
    #[error(
        "find Spark: SPARK_HOME is not set, there is no `spark-submit` on the PATH, and none was set up"
    )]
    NoSpark,
    /// The Spark that was named cannot be used.
    #[error(transparent)]
    Spark(#[from] SparkError),
    /// There is no fitting Java.
    #[error(transparent)]
    Java(#[from] JavaError),
}

impl FindError {
    /// A hint for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::NoSpark => {
                "run `livius setup` to have a Spark installed, or set SPARK_HOME".to_owned()
            }
            Self::Spark(error) => error.hint(),
            Self::Java(error) => error.hint(),
        }
    }
}

/// Finds a Spark and a Java that fits it.
pub fn find(search: &Search) -> Result<Found, FindError> {
    let (spark, spark_origin) = find_spark(search)?;
    let java = find_java(search, &spark.version)?;
    let warnings = java.warning(&spark.version).into_iter().collect();
    Ok(Found {
        spark,
        spark_origin,
        java,
        warnings,
    })
}

/// Finds a Spark. A named Spark is used or is an error. Managed installations count
/// only when no Spark is named.
pub fn find_spark(search: &Search) -> Result<(Installation, Origin), FindError> {
    let named = search
        .spark_home
        .clone()
        .map(|home| (home, Origin::Configured));
    let named = named.or_else(|| {
        search
            .environment
            .path("SPARK_HOME")
            .map(|home| (home, Origin::Environment))
    });
    if let Some((home, origin)) = named {
        return Ok((Installation::probe(&home)?, origin));
    }
    // A launcher script on the PATH may belong to anything. It counts only if it is part of a
    // Spark.
    let on_path = search
        .environment
        .program("spark-submit")
        .and_then(|script| home_of_script(&script));
    if let Some(spark) = on_path.and_then(|home| Installation::probe(&home).ok()) {
        return Ok((spark, Origin::Path));
    }
    let newest = managed::sparks(&search.runtimes)
        .into_iter()
        .max_by_key(|spark| spark.version.numbers());
    newest
        .map(|spark| (spark, Origin::Managed))
        .ok_or(FindError::NoSpark)
}

/// Finds a Java for a Spark.
pub(crate) fn find_java(search: &Search, spark: &Version) -> Result<Java, JavaError> {
    let managed = managed::javas(&search.runtimes);
    Java::find(
        &search.environment,
        search.java_home.as_deref(),
        &managed,
        spark,
    )
}

/// Returns `/opt/spark` for `/opt/spark/bin/spark-submit` or a link to it. PyPI installs the script
/// outside of the package.
fn home_of_script(script: &Utf8Path) -> Option<Utf8PathBuf> {
    let real = script.canonicalize_utf8().ok()?;
    Some(real.parent()?.parent()?.to_owned())
}
