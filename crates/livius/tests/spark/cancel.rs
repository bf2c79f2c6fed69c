//! Cancelling stops the code in each language, with all its Spark jobs. The session continues.

mod once;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{PATIENCE, Session, eventually, post};
use crate::{Case, Shared};

pub use once::ONCE;

pub const CASES: &[Case] = &[
    ("cancel::python", python),
    ("cancel::scala", scala),
    ("cancel::a_spark_job_of_each_language", spark_jobs),
    ("cancel::r", r),
    ("cancel::no_spark_job_of_a_thread_is_left", jobs_of_threads),
    ("cancel::progress_is_seen_while_a_job_runs", progress),
    (
        "cancel::progress_is_whole_at_the_end_only",
        progress_of_several_jobs,
    ),
];

/// Runs endless code, cancels it, waits until it is cancelled, and returns the statement.
fn cancelled(session: &Session, kind: &str, code: &str) -> Value {
    let id = session.post(kind, code);
    session.await_running(id);
    cancel(session, id);
    await_cancelled(session, id)
}

fn cancel(session: &Session, id: i64) {
    let (status, answer) = post(
        &format!("{}/statements/{id}/cancel", session.url),
        &json!({}),
    );
    assert_eq!((status, answer), (200, json!({"msg": "canceled"})));
}

fn await_cancelled(session: &Session, id: i64) -> Value {
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
    // Code that ignores the interrupt is ended by a second cancel at once. That costs the
    // interpreter, not the session.
    let stubborn = "import time\nwhile True:\n    try:\n        time.sleep(600)\n    except BaseException:\n        pass";
    let id = session.post("pyspark", stubborn);
    session.await_running(id);
    let begun = Instant::now();
    cancel(session, id);
    cancel(session, id);
    await_cancelled(session, id);
    assert!(begun.elapsed() < Duration::from_secs(20));
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

/// Code that starts Spark jobs on threads of its own, in each language. `job(n)` is a Spark job that
/// runs without end.
const THREADS: &[(&str, &str)] = &[
    (
        "pyspark",
        "ts = [threading.Thread(target=job, args=(i,)) for i in range(2)]\nfor t in ts: t.start()\nfor t in ts: t.join()",
    ),
    (
        "pyspark",
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as e: list(e.map(job, range(4)))",
    ),
    // The main thread ends at once, and the pool goes on with its next jobs.
    (
        "pyspark",
        "from concurrent.futures import ThreadPoolExecutor\ne = ThreadPoolExecutor(1)\nfs = [e.submit(job, i) for i in range(4)]\ntime.sleep(600)",
    ),
    (
        "pyspark",
        "from pyspark import InheritableThread\nt = InheritableThread(target=job, args=(0,))\nt.start()\nt.join()",
    ),
    // Some libraries set a group of their own.
    ("pyspark", "sc.setJobGroup('hudi', 'a library')\njob(0)"),
    (
        "spark",
        "import scala.concurrent._\nimport scala.concurrent.duration._\nimport ExecutionContext.Implicits.global\nval fs = (0 to 1).map(i => Future(job(i)))\nfs.foreach(Await.result(_, Duration.Inf))",
    ),
    (
        "spark",
        "java.util.Arrays.asList(0, 1, 2, 3).parallelStream.forEach(i => { job(i); () })",
    ),
    (
        "spark",
        "val t = new Thread(new Runnable { def run(): Unit = { job(0); () } })\nt.start()\nt.join()",
    ),
    ("spark", "sc.setJobGroup(\"hudi\", \"a library\")\njob(0)"),
];

/// The same, in code that survives every interrupt.
const STUBBORN: &str = "t = threading.Thread(target=job, args=(0,))\nt.start()\nwhile True:\n    try:\n        time.sleep(600)\n    except BaseException:\n        pass";

/// Defines `job`. Each job says that it runs with a file in that folder.
fn defining_job(kind: &str, folder: &Path) -> String {
    let folder = folder.display();
    match kind {
        "pyspark" => format!(
            "import os, threading, time\ndef job(n):\n    def task(v):\n        open('{folder}/%d' % n, 'w').close()\n        while not os.path.exists('{folder}/end'):\n            time.sleep(0.1)\n    sc.parallelize([0], 1).map(task).count()\n"
        ),
        _ => format!(
            "def job(n: Int): Long = sc.parallelize(Seq(0), 1).map {{ v =>\n  new java.io.File(\"{folder}/\" + n).createNewFile()\n  while (!new java.io.File(\"{folder}/end\").exists) Thread.sleep(100)\n  v\n}}.count()\n"
        ),
    }
}

fn jobs_of_threads(shared: &Shared) {
    let session = shared.session();
    let data = shared.server().data.path();
    let active = || active_jobs(session);
    // A pool that Scala code has used before has threads of an earlier statement.
    session.text("spark", "import scala.concurrent._\nimport ExecutionContext.Implicits.global\nAwait.result(Future(sc.parallelize(1 to 4).count()), duration.Duration.Inf)");
    // A job of an earlier statement goes on.
    let earlier = data.join("earlier");
    std::fs::create_dir_all(&earlier).unwrap();
    let code =
        defining_job("pyspark", &earlier) + "threading.Thread(target=job, args=(0,)).start()";
    session.data("pyspark", &code);
    await_task(&earlier);
    for (number, (kind, code)) in THREADS.iter().enumerate() {
        let folder = data.join(format!("threads-{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        let id = session.post(kind, &(defining_job(kind, &folder) + code));
        await_task(&folder);
        cancel(session, id);
        await_cancelled(session, id);
        assert_eq!(active(), "1", "{code}");
    }
    let folder = data.join("stubborn");
    std::fs::create_dir_all(&folder).unwrap();
    let id = session.post("pyspark", &(defining_job("pyspark", &folder) + STUBBORN));
    await_task(&folder);
    cancel(session, id);
    cancel(session, id);
    await_cancelled(session, id);
    assert_eq!(active(), "1", "{STUBBORN}");
    std::fs::write(earlier.join("end"), "").unwrap();
    eventually("the earlier job ends", PATIENCE, || {
        (active() == "0").then_some(())
    });
    // Cancelled jobs have left no task that occupies a processor.
    await_no_task(session);
    // The threads of the pools are as good as before.
    assert!(
        session
            .text(
                "spark",
                "Await.result(Future(sc.parallelize(1 to 4).count()), Duration.Inf)"
            )
            .ends_with("= 4\n")
    );
}

/// The number of Spark jobs that run.
fn active_jobs(session: &Session) -> String {
    session.text(
        "pyspark",
        "print(len(sc.statusTracker().getActiveJobsIds()))",
    )
}

/// Waits until a job of that folder has a task that runs. Others may wait for a processor.
fn await_task(folder: &Path) {
    eventually("a task runs", PATIENCE, || {
        let mut files = std::fs::read_dir(folder).unwrap();
        files.next().map(|_| ())
    });
}

/// Waits until the executors have stopped the tasks of jobs that have ended.
fn await_no_task(session: &Session) {
    eventually("no task runs", PATIENCE, || {
        let code = "print(sum(e.numRunningTasks() for e in sc._jsc.sc().statusTracker().getExecutorInfos()))";
        (session.text("pyspark", code) == "0").then_some(())
    });
}

fn progress_of_several_jobs(shared: &Shared) {
    let session = shared.session();
    for (jobs, seconds) in [(2, 2.0), (10, 0.1), (100, 0.0)] {
        let id = session.post(
            "pyspark",
            &format!("import time\nfor i in range({jobs}):\n    sc.parallelize([0], 1).map(lambda v: time.sleep({seconds})).count()"),
        );
        let mut seen = Vec::new();
        let end = eventually("the statement ends", Duration::from_mins(1), || {
            let statement = session.statement(id);
            let progress = statement["progress"].as_f64().unwrap();
            if statement["state"] == "available" {
                return Some(progress);
            }
            seen.push(progress);
            None
        });
        assert!((end - 1.0).abs() < f64::EPSILON, "{jobs} jobs: {end}");
        assert!(
            seen.iter().all(|progress| *progress < 1.0),
            "{jobs} jobs: {seen:?}"
        );
        // One of two jobs is done.
        let half = seen.iter().any(|progress| (*progress - 0.5).abs() < 0.01);
        assert!(half || jobs > 2, "{jobs} jobs: {seen:?}");
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
