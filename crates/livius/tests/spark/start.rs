//! The start of drivers.

use std::fs;

use camino::Utf8Path;
use livius_spark_home::testing::write_program;
use serde_json::{Value, json};

use crate::batches::assert_failure;
use crate::client::{PATIENCE, eventually};
use crate::{Case, Shared};

pub const CASES: &[Case] = &[(
    "start::a_driver_uses_the_class_archive_that_the_setup_made",
    class_archive,
)];

/// The agent's own words, which no Spark changes.
pub const ONCE: &[Case] = &[
    (
        "start::a_python_that_cannot_start_is_the_reason",
        bad_python,
    ),
    (
        "start::a_context_that_cannot_be_made_is_the_reason_and_leaves_no_python",
        bad_context,
    ),
];

fn class_archive(shared: &Shared) {
    shared.session().text("pyspark", "1");
    let processes = shared.server().processes();
    let is_driver = |line: &&String| line.contains("SparkSubmit") && !line.contains(" supervise ");
    let driver = processes.iter().find(is_driver).expect("a driver");
    assert!(driver.contains("-XX:SharedArchiveFile="), "{driver}");
    let pid = driver.split(':').next().unwrap();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    assert!(maps.contains("/classes.jsa"), "{driver}");
}

/// Creates a session that cannot start, checks the code of its failure, and returns the words about
/// it in its log.
fn failed_start(shared: &Shared, conf: &Value, code: &str) -> String {
    let server = shared.server();
    let session = server.create(&json!({"kind": "pyspark", "conf": conf}));
    session.await_state("dead");
    let own = format!("/s-{}-", session.id);
    eventually("nothing is left of the driver", PATIENCE, || {
        let named = server.processes();
        (!named.iter().any(|line| line.contains(&own))).then_some(())
    });
    let log = session.log();
    assert_failure(&session.detail(), code, "");
    session.delete();
    let words: Vec<&str> = log
        .lines()
        .filter(|line| line.starts_with("livius: "))
        .collect();
    words.join("\n")
}

fn bad_python(shared: &Shared) {
    let missing = failed_start(
        shared,
        &json!({"spark.pyspark.python": "/nowhere/python"}),
        "python_missing",
    );
    let words = "the Python executable '/nowhere/python' cannot be started";
    assert!(missing.contains(words), "{missing}");
    assert!(missing.contains("Check spark.pyspark.python"), "{missing}");

    let directory = tempfile::tempdir().unwrap();
    let python = directory.path().join("python");
    let script = "#!/bin/sh\necho 'no luck today' >&2\nexit 3\n";
    write_program(Utf8Path::from_path(&python).unwrap(), script);
    let broken = failed_start(
        shared,
        &json!({"spark.pyspark.python": python}),
        "context_failed",
    );
    let words = "did not become an interpreter: it left with exit code 3";
    assert!(broken.contains(words), "{broken}");
    assert!(broken.contains("no luck today"), "{broken}");
}

/// The Python process has started by the time that the context fails, and waits for it.
fn bad_context(shared: &Shared) {
    let words = failed_start(
        shared,
        &json!({"spark.scheduler.mode": "sideways"}),
        "context_failed",
    );
    assert!(words.contains("sideways"), "{words}");
}
