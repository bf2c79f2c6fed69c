//! Cancelling the tasks of joblib, and all that a session runs.

use std::path::Path;

use serde_json::json;

use super::{active_jobs, await_cancelled, await_task, cancel, defining_job};
use crate::client::{PATIENCE, environment, eventually, post};
use crate::{Case, Shared};

/// joblib is a library of Python, and `interrupt` a route of the server.
pub const ONCE: &[Case] = &[
    ("cancel::processes_of_joblib", processes_of_joblib),
    ("cancel::threads_of_joblib", threads_of_joblib),
    ("cancel::all_of_a_session", all_of_a_session),
];

/// Tasks in processes of their own. Each leaves a file with the number of its process.
fn processes_of_joblib(shared: &Shared) {
    if !has_joblib() {
        return;
    }
    let session = shared.session();
    let folder = shared.server().data.path().join("joblib-processes");
    std::fs::create_dir_all(&folder).unwrap();
    session.text(
        "pyspark",
        &format!(
            "import os, time\nfrom joblib import Parallel, delayed\ndef task(n):\n    open('{}/%d' % os.getpid(), 'w').close()\n    time.sleep(600)\nkept = 'kept'",
            folder.display()
        ),
    );
    let id = session.post(
        "pyspark",
        "Parallel(n_jobs=2)(delayed(task)(n) for n in range(6))",
    );
    let workers = eventually("two tasks run", PATIENCE, || {
        let files = std::fs::read_dir(&folder).unwrap().flatten();
        let workers: Vec<_> = files.map(|file| file.file_name()).collect();
        (workers.len() == 2).then_some(workers)
    });
    cancel(session, id);
    await_cancelled(session, id);
    for worker in workers {
        let worker = Path::new("/proc").join(worker);
        assert!(!worker.exists(), "{}", worker.display());
    }
    assert_eq!(
        session.text(
            "pyspark",
            "kept, Parallel(n_jobs=2)(delayed(abs)(-n) for n in range(4))"
        ),
        "('kept', [0, 1, 2, 3])"
    );
    let used = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(used, 2, "a task has begun after the end");
}

/// Tasks that run Spark jobs, on threads.
fn threads_of_joblib(shared: &Shared) {
    if !has_joblib() {
        return;
    }
    let session = shared.session();
    let folder = shared.server().data.path().join("joblib-threads");
    std::fs::create_dir_all(&folder).unwrap();
    session.text("pyspark", "import threading\nbefore = set(threading.enumerate())\nkept = 'kept'\nfrom joblib import Parallel, delayed");
    let code = defining_job("pyspark", &folder)
        + "begun = []\ndef counted(n):\n    begun.append(n)\n    job(n)\n"
        + "Parallel(n_jobs=2, backend='threading')(delayed(counted)(n) for n in range(6))";
    let id = session.post("pyspark", &code);
    await_task(&folder);
    cancel(session, id);
    await_cancelled(session, id);
    assert_eq!(active_jobs(session), "0");
    // Counted in the driver: a worker that Spark has not ended yet may still write a task's file.
    let begun = session.text("pyspark", "len(begun)");
    eventually("its threads have ended", PATIENCE, || {
        let left = session.text(
            "pyspark",
            "[thread.name for thread in threading.enumerate() if thread not in before]",
        );
        (left == "[]").then_some(())
    });
    let code = "kept, Parallel(n_jobs=2, backend='threading')(delayed(lambda n: sc.range(n).count())(n) for n in range(4))";
    assert_eq!(session.text("pyspark", code), "('kept', [0, 1, 2, 3])");
    assert_eq!(
        session.text("pyspark", "len(begun)"),
        begun,
        "a job has begun after the end"
    );
}

fn has_joblib() -> bool {
    let is_there = environment("LIVIUS_TEST_PYTHON").is_some();
    if !is_there {
        println!("SKIPPED: no joblib (LIVIUS_TEST_PYTHON is not set)");
    }
    is_there
}

/// The route of sessions cancels what runs and what waits, and the session goes on.
fn all_of_a_session(shared: &Shared) {
    let session = shared.session();
    let folder = shared.server().data.path().join("interrupted");
    std::fs::create_dir_all(&folder).unwrap();
    session.text("pyspark", "kept = 'kept'");
    let code = defining_job("pyspark", &folder) + "job(0)";
    let running = session.post("pyspark", &code);
    let waiting = ["spark", "sql"].map(|kind| session.post(kind, "this is never run"));
    await_task(&folder);
    let interrupted = post(&format!("{}/interrupt", session.url), &json!({}));
    assert_eq!(interrupted, (200, json!({"msg": "interrupted"})));
    await_cancelled(session, running);
    for id in waiting {
        let statement = await_cancelled(session, id);
        assert_eq!(statement["started"], 0, "{statement:#}");
    }
    assert_eq!(active_jobs(session), "0");
    assert_eq!(session.text("pyspark", "kept"), "'kept'");
    let again = post(&format!("{}/interrupt", session.url), &json!({}));
    assert_eq!(again, (200, json!({"msg": "interrupted"})));
    assert_eq!(session.text("pyspark", "kept"), "'kept'");
}
