//! Cancelling stops the code in each language. The session continues.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{PATIENCE, Session, eventually, post};
use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    ("cancel::python", python),
    ("cancel::scala", scala),
    ("cancel::a_spark_job_of_each_language", spark_jobs),
    ("cancel::r", r),
    ("cancel::progress_is_seen_while_a_job_runs", progress),
];

/// Runs endless code, cancels it, waits until it is cancelled, and returns the statement.
fn cancelled(session: &Session, kind: &str, code: &str) -> Value {
    let id = session.post(kind, code);
    session.await_running(id);
    let (status, answer) = post(
        &format!("{}/statements/{id}/cancel", session.url),
        &json!({}),
    );
    assert_eq!((status, answer), (200, json!({"msg": "canceled"})));
    let statement = eventually("the statement is cancelled", PATIENCE, || {
        let statement = session.statement(id);
        (statement["state"] == "cancelled").then_some(statement)
    });
    session.await_state("idle");
    statement
}

fn python(shared: &Shared) {
    let session = shared.session();
    session.text("pyspark", "kept = 'kept'");
    for code in [
        "import time\ntime.sleep(600)",
        "while True:\n    pass",
        "import subprocess\nsubprocess.run(['sleep', '600'])",
    ] {
        cancelled(session, "pyspark", code);
        assert_eq!(session.text("pyspark", "kept"), "'kept'", "{code}");
    }
    // Code that ignores the interrupt costs the interpreter, not the session.
    let stubborn = "import time\nwhile True:\n    try:\n        time.sleep(600)\n    except BaseException:\n        pass";
    cancelled(session, "pyspark", stubborn);
    assert_eq!(session.text("pyspark", "spark.range(3).count()"), "3");
}

fn scala(shared: &Shared) {
    let session = shared.session();
    session.text("spark", "val kept = \"kept\"");
    for code in [
        "Thread.sleep(600000)",
        "while (true) {}",
        "var n = 0L\nwhile (true) { n += 1 }",
        "def loop(i: Int): Int = loop(i + 1)\nloop(0)",
    ] {
        cancelled(session, "spark", code);
        assert!(session.text("spark", "kept").contains("kept"), "{code}");
    }
}

fn spark_jobs(shared: &Shared) {
    let session = shared.session();
    let python = "import time\nsc.parallelize(range(2), 2).map(lambda v: time.sleep(600)).count()";
    cancelled(session, "pyspark", python);
    cancelled(
        session,
        "spark",
        "sc.parallelize(1 to 2, 2).map { v => Thread.sleep(600000); v }.count()",
    );
    cancelled(
        session,
        "sql",
        "select count(*) from range(10000000) a cross join range(10000000) b where a.id * b.id < 0",
    );
    // The code that ran the job has ended too, and the next job of each interpreter runs.
    assert_eq!(
        session.text("pyspark", "sc.parallelize(range(4), 2).count()"),
        "4"
    );
    assert!(
        session
            .text("spark", "sc.parallelize(1 to 4, 2).count()")
            .ends_with("= 4\n")
    );
    assert_eq!(
        session.data("sql", "select count(*) from range(4)")["application/json"]["data"],
        json!([[4]])
    );
}

fn r(shared: &Shared) {
    if crate::client::environment("LIVIUS_TEST_R").is_none() {
        println!("SKIPPED: no R on this machine (LIVIUS_TEST_R is not set)");
        return;
    }
    let session = shared.session();
    session.text("sparkr", "kept <- 'kept'");
    for code in ["Sys.sleep(600)", "while (TRUE) {}"] {
        cancelled(session, "sparkr", code);
        assert_eq!(session.text("sparkr", "cat(kept)"), "kept", "{code}");
    }
}

fn progress(shared: &Shared) {
    let session = shared.session();
    let id = session.post(
        "pyspark",
        "import time\nsc.parallelize(range(16), 16).map(lambda v: time.sleep(0.4)).count()",
    );
    let mut seen = Vec::new();
    eventually("the statement ends", Duration::from_mins(1), || {
        let statement = session.statement(id);
        seen.push(statement["progress"].as_f64().unwrap());
        (statement["state"] == "available").then_some(())
    });
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(
        seen.iter()
            .any(|progress| *progress > 0.0 && *progress < 1.0),
        "{seen:?}"
    );
    assert!(
        (seen.last().unwrap() - 1.0).abs() < f64::EPSILON,
        "{seen:?}"
    );
}
