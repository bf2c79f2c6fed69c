//! Jars from Maven Central with their dependencies. Spark downloads them, as it downloads any
//! package that `--packages` names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::steps::Steps;

/// A set of packages that is downloaded together.
pub struct Packages {
    name: &'static str,
    folder: &'static str,
    coordinates: &'static [&'static str],
}

/// The newest release of Livy's Java client.
pub const LIVY_CLIENT: Packages = Packages {
    name: "Livy's Java client",
    folder: "livy-client",
    coordinates: &["org.apache.livy:livy-client-http:0.7.1-incubating"],
};

/// The daemons of YARN. The shaded jar of Hadoop's own test cluster contains them too, but there the
/// REST interface answers with other JSON than a real ResourceManager.
pub const YARN: Packages = Packages {
    name: "YARN",
    folder: "yarn",
    coordinates: &[
        // It has the command that makes a ResourceManager the active one.
        "org.apache.hadoop:hadoop-yarn-client:3.4.2",
        "org.apache.hadoop:hadoop-yarn-server-resourcemanager:3.4.2",
        "org.apache.hadoop:hadoop-yarn-server-nodemanager:3.4.2",
        // It serves the logs of ended applications.
        "org.apache.hadoop:hadoop-yarn-server-applicationhistoryservice:3.4.2",
        // The web pages of the ResourceManager need a class of it.
        "org.apache.hadoop:hadoop-yarn-server-timelineservice:3.4.2",
        "org.apache.hadoop:hadoop-common:3.4.2",
        // Without a logger, the daemons end without a word.
        "org.slf4j:slf4j-reload4j:1.7.36",
    ],
};

/// The folder with the jars. Downloads them if they are missing.
pub fn provide(
    steps: &Steps,
    packages: &Packages,
    spark: &str,
    java: &str,
    directory: &Path,
) -> anyhow::Result<PathBuf> {
    let (name, ivy) = (packages.name, directory.join(packages.folder));
    let (jars, stamp) = (ivy.join("jars"), ivy.join("packages.txt"));
    let wanted = packages.coordinates.join(",");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        steps.say(&format!("java: the jars of {name} are there"));
        return Ok(jars);
    }
    // Another version of a jar would stay beside the new one.
    if jars.exists() {
        fs::remove_dir_all(&jars).with_context(|| format!("cannot remove {}", jars.display()))?;
    }
    // The application prints a version. Only its packages matter.
    let mut command = Command::new(Path::new(spark).join("bin/spark-submit"));
    command
        .env("JAVA_HOME", java)
        .env("SPARK_HOME", spark)
        .env_remove("SPARK_CONF_DIR")
        // Spark looks into Maven's folder in the home directory first, and fails if a package is
        // there without its jar.
        .env(
            "SPARK_SUBMIT_OPTS",
            format!("-Duser.home={}", ivy.display()),
        )
        .args(["--master", "local", "--packages", &wanted, "--conf"])
        .arg(format!("spark.jars.ivy={}", ivy.display()))
        .args(["--class", "scala.tools.nsc.Main", "spark-internal"])
        .arg("-version");
    let output = steps.step(&format!("java: getting the jars of {name}"), || {
        command
            .output()
            .with_context(|| format!("java: cannot start spark-submit of {spark}"))
    })?;
    if !output.status.success() || !jars.is_dir() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("java: Spark did not get the jars of {name}:\n{said}");
    }
    fs::write(&stamp, wanted).context("cannot note which packages were installed")?;
    Ok(jars)
}
