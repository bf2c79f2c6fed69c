//! Livy's Java client from Maven Central, with its dependencies. Spark downloads it, as it
//! downloads any package that `--packages` names.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::steps::Steps;

/// The newest release.
const PACKAGE: &str = "org.apache.livy:livy-client-http:0.7.1-incubating";

/// The client's own jar. Spark copies all jars at its end, so if this one exists, all do.
const JAR: &str = "org.apache.livy_livy-client-http-0.7.1-incubating.jar";

/// The folder with the jars. Downloads them if they are missing.
pub fn jars(steps: &Steps, spark: &str, java: &str, directory: &Path) -> anyhow::Result<PathBuf> {
    let ivy = directory.join("livy-client");
    let jars = ivy.join("jars");
    if jars.join(JAR).is_file() {
        steps.say("java: Livy's client is there");
        return Ok(jars);
    }
    // The application prints a version. Only its packages matter.
    let mut command = Command::new(Path::new(spark).join("bin/spark-submit"));
    command
        .env("JAVA_HOME", java)
        .env("SPARK_HOME", spark)
        .env_remove("SPARK_CONF_DIR")
        .args(["--master", "local", "--packages", PACKAGE, "--conf"])
        .arg(format!("spark.jars.ivy={}", ivy.display()))
        .args(["--class", "scala.tools.nsc.Main", "spark-internal"])
        .arg("-version");
    let output = steps.step("java: getting Livy's client", || {
        command
            .output()
            .with_context(|| format!("java: cannot start spark-submit of {spark}"))
    })?;
    if !jars.join(JAR).is_file() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("java: Spark did not get {PACKAGE}:\n{said}");
    }
    Ok(jars)
}
