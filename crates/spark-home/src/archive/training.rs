//! The run of Spark whose JVM writes the archive.

use std::fs;

use camino::Utf8Path;

use super::{ARCHIVE, ArchiveError, LIMIT, Trainee, class_path};
use crate::bounded::Run;
use crate::files;

/// The last word of a training run that did all of its work.
const DONE: &str = "livius-training done";

/// Runs the agent's training, whose JVM writes the archive when it exits.
pub(super) fn train(
    dir: &Utf8Path,
    trainee: Trainee<'_>,
    base: Option<&Utf8Path>,
) -> Result<(), ArchiveError> {
    let Trainee {
        spark,
        java,
        flags,
        agent,
        environment,
        stop,
    } = trainee;
    let work = dir.join("work");
    let keep = |source| ArchiveError::Keep {
        dir: dir.to_owned(),
        source,
    };
    fs::create_dir(&work).map_err(keep)?;
    let launch = work.join("launch.json");
    let document = r#"{"v":1,"driver":"training","servers":[],"token":"","kind":"shared"}"#;
    files::write_private(&launch, document.as_bytes()).map_err(keep)?;
    let properties = work.join("spark.properties");
    files::write_private(&properties, b"spark.master=local[2]\n").map_err(keep)?;
    let mut variables = environment.for_tools();
    variables.insert("SPARK_HOME".to_owned(), spark.home.to_string());
    variables.insert("JAVA_HOME".to_owned(), java.home.to_string());
    variables.insert("SPARK_LOCAL_IP".to_owned(), "127.0.0.1".to_owned());
    variables.remove("SPARK_CONF_DIR");
    let done = Run::new(java.program(), &variables, LIMIT)
        .args(&flags.jvm)
        .args(base.map(|base| format!("-XX:SharedArchiveFile={base}")))
        .args([
            "-Xmx512m",
            "-XX:+PerfDisableSharedMem",
            // The JVM lists each class that it leaves out.
            "-Xlog:disable",
            &format!("-Djava.io.tmpdir={work}"),
            &format!("-XX:ArchiveClassesAtExit={}", dir.join(ARCHIVE)),
        ])
        .args([
            "-cp",
            &class_path(spark, flags),
            "org.apache.spark.deploy.SparkSubmit",
        ])
        .args([
            "--properties-file",
            properties.as_str(),
            "--class",
            "livius.agent.Training",
        ])
        // The agent's jar is not on the class path, so that the archive outlives the agent.
        .args([agent.jar().as_str(), launch.as_str()])
        .dir(&work)
        .with_lifeline()
        .until(stop)
        .finish()
        .map_err(ArchiveError::Run)?;
    let said_done = String::from_utf8_lossy(&done.stdout).contains(DONE);
    if !said_done || !dir.join(ARCHIVE).is_file() {
        return Err(ArchiveError::Failed(done.tail(30)));
    }
    fs::remove_dir_all(&work).map_err(keep)
}
