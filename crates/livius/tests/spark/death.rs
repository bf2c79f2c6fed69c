//! Interpreters and drivers that die, and drivers that refuse to.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{PATIENCE, Session, eventually, get, post};
use crate::server::Server;
use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    (
        "death::an_interpreter_that_dies_fails_its_statement_and_comes_back",
        interpreter,
    ),
    (
        "death::an_interpreter_that_died_between_statements_is_told_once",
        interpreter_between_statements,
    ),
    (
        "death::a_driver_that_exits_is_dead_with_the_reason",
        driver_exits,
    ),
    (
        "death::code_may_replace_the_spark_context",
        replaced_context,
    ),
];

/// The server and the driver's supervisor end these drivers. They do not know what runs in them. The
/// agent tells the end of a statement in the same way with every Spark.
pub const ONCE: &[Case] = &[
    (
        "death::the_end_of_a_statement_is_told_whatever_fails",
        told_badly,
    ),
    (
        "death::a_driver_that_ignores_everything_leaves_nothing",
        stubborn,
    ),
    (
        "death::a_session_deleted_while_it_starts_leaves_nothing",
        while_starting,
    ),
    ("death::a_heartbeat_that_stops_ends_the_session", heartbeat),
    (
        "death::a_second_signal_ends_everything_at_once",
        second_signal,
    ),
];

/// The code prints the interpreter's process id, and has the process killed after it has ended.
const LATE_DEATHS: &[(&str, &str)] = &[
    (
        "pyspark",
        "import os, threading\nthreading.Timer(0.3, os.kill, [os.getpid(), 9]).start()\nprint(os.getpid())",
    ),
    (
        "sparkr",
        "system(paste0('(sleep 0.3; kill -9 ', Sys.getpid(), ') >/dev/null 2>&1 &')); cat(Sys.getpid())",
    ),
];

fn interpreter_between_statements(shared: &Shared) {
    let session = shared.session();
    for (kind, code) in LATE_DEATHS {
        if *kind == "sparkr" && crate::client::environment("LIVIUS_TEST_R").is_none() {
            println!("SKIPPED: no R on this machine (LIVIUS_TEST_R is not set)");
            continue;
        }
        let process = format!("/proc/{}", session.text(kind, code));
        eventually("the interpreter is dead", PATIENCE, || {
            (!std::path::Path::new(&process).exists()).then_some(())
        });
        eventually("it is told that it is down", PATIENCE, || {
            (!interpreters(session).contains(&json!(kind))).then_some(())
        });
        // The code would run well in the new interpreter, but the user has to know what is lost.
        let error = session.error(kind, "1 + 1");
        let words = error["evalue"].as_str().unwrap();
        assert!(words.starts_with("Interpreter died"), "{words}");
        assert!(words.contains("signal 9"), "{words}");
        assert!(session.text(kind, "1 + 1").ends_with('2'));
        eventually("it is told that it is up again", PATIENCE, || {
            interpreters(session).contains(&json!(kind)).then_some(())
        });
    }
}

/// The kinds of the interpreters that are up in the driver of a session.
fn interpreters(session: &Session) -> Vec<Value> {
    let (server, _) = session.url.rsplit_once("/sessions/").unwrap();
    let (_, list) = get(&format!("{server}/api/v1/drivers"));
    let drivers = list["drivers"].as_array().unwrap();
    let driver = drivers.iter().find(|one| one["session"] == session.id);
    let interpreters = driver.unwrap()["interpreters"].as_array().unwrap();
    interpreters.iter().map(|one| one["kind"].clone()).collect()
}

fn interpreter(shared: &Shared) {
    let session = shared.session();
    let application = session.text("pyspark", "print(sc.applicationId)");
    for code in [
        "import os\nos._exit(7)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes\nctypes.string_at(0)",
    ] {
        let error = session.error("pyspark", code);
        assert!(
            error["evalue"]
                .as_str()
                .unwrap()
                .starts_with("Interpreter died"),
            "{error:#}"
        );
        assert_eq!(
            session.text("pyspark", "print(sc.applicationId)"),
            application,
            "{code}"
        );
    }
    assert_eq!(
        session.data("sql", "select 1")["application/json"]["data"],
        json!([[1]])
    );
}

/// The server waits for the end of each statement, so no failure may keep the agent from telling it.
fn told_badly(shared: &Shared) {
    let session = shared.session();
    let shown = session.text("spark", include_str!("death/told_badly.scala"));
    let ends: Vec<Value> = shown
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    for (end, statement) in ends.iter().zip([1, 2]) {
        assert_eq!(end["type"], "finished", "{end:#}");
        assert_eq!(end["statement"], statement, "{end:#}");
        let output: Value = serde_json::from_str(end["output"].as_str().unwrap()).unwrap();
        let name = "Internal Error: java.lang.InterruptedException";
        assert_eq!(output["ename"], name, "{output:#}");
    }
    assert_eq!(ends.len(), 2, "{shown}");
}

fn driver_exits(shared: &Shared) {
    let session = shared
        .server()
        .create(&json!({"kind": "spark", "conf": {"spark.ui.enabled": "false"}}));
    session.await_idle();
    // The first expression is res0, because hidden code must not use up numbers.
    assert_eq!(session.text("spark", "20 + 1"), "res0: Int = 21\n");
    assert_eq!(session.text("spark", "res0 + 1"), "res1: Int = 22\n");
    // The end of a driver empties its own folders, and not those that a link there leads to.
    let kept = tempfile::tempdir().unwrap();
    let file = kept.path().join("kept");
    std::fs::write(&file, "kept").unwrap();
    session.text(
        "spark",
        &format!(
            "val link = new java.io.File(sc.getConf.get(\"spark.repl.class.outputDir\"), \"link\")\n\
             java.nio.file.Files.createSymbolicLink(link.toPath, java.nio.file.Paths.get(\"{}\")); ()",
            kept.path().display()
        ),
    );
    let id = session.post("spark", "System.exit(5)");
    session.await_state("dead");
    assert!(file.exists());
    assert_eq!(
        session.statement(0)["output"]["data"]["text/plain"],
        "res0: Int = 21\n"
    );
    let last = session.statement(id);
    assert_eq!(last["output"]["status"], "error", "{last:#}");
    assert!(
        last["output"]["evalue"]
            .as_str()
            .unwrap()
            .contains("exit code 5"),
        "{last:#}"
    );
    assert!(
        session
            .log()
            .contains("livius: the driver ended by itself with exit code 5"),
        "{}",
        session.log()
    );
    session.delete();
}

/// Users run `spark.stop()` and `getOrCreate()` every day, in one statement or in two.
fn replaced_context(shared: &Shared) {
    let session = shared
        .server()
        .create(&json!({"kind": "pyspark", "conf": {"spark.ui.enabled": "false"}}));
    session.await_idle();
    let application = || session.shown()["appId"].as_str().unwrap().to_owned();
    let first = application();
    session.text("spark", "case class Kept(x: Int)");
    session.run("pyspark", "spark.stop()\nfrom pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()");
    assert_ne!(application(), first);
    check_all_kinds(&session);
    // A cancel reaches the jobs of the new context.
    let id = session.post("pyspark", "import threading, time\nt = threading.Thread(target=lambda: sc.parallelize([0], 1).map(lambda v: time.sleep(600)).count())\nt.start()\nt.join()");
    eventually("a job of the new context runs", PATIENCE, || {
        (session.statement(id)["state"] == "running").then_some(())
    });
    post(
        &format!("{}/statements/{id}/cancel", session.url),
        &json!({}),
    );
    assert_eq!(session.await_end(id)["state"], "cancelled");
    assert_eq!(
        session.text("pyspark", "print(sc.statusTracker().getActiveJobsIds())"),
        "[]"
    );

    let second = application();
    session.run("spark", "spark.stop()");
    session.run(
        "spark",
        "val spark = org.apache.spark.sql.SparkSession.builder.getOrCreate()",
    );
    assert_ne!(application(), second);
    check_all_kinds(&session);

    // A context that stops while no code runs is gone for good.
    session.run(
        "pyspark",
        "import threading\nthreading.Timer(1, lambda: sc._jsc.sc().stop()).start()",
    );
    session.await_state("dead");
    let log = session.log();
    assert!(
        log.contains("the SparkContext was stopped while no code ran"),
        "{log}"
    );
    session.delete();
}

fn check_all_kinds(session: &Session) {
    assert_eq!(session.text("pyspark", "spark.range(3).count(), sc.parallelize([1, 2]).map(lambda v: v + 1).sum(), sqlContext.sql('select 7').count()"), "(3, 5, 1)");
    assert_eq!(
        session.data("sql", "select count(*) from range(4)")["application/json"]["data"],
        json!([[4]])
    );
    let scala = "println(sc.parallelize(Seq(Kept(1), Kept(2))).map(_.x).sum + spark.range(3).count + sql(\"select 7\").count)";
    assert_eq!(session.text("spark", scala).trim(), "7.0");
}

fn stubborn(shared: &Shared) {
    let server = shared.server();
    let session = server.create(&json!({"kind": "pyspark", "conf": {"spark.ui.enabled": "false"}}));
    session.await_idle();
    // A daemon in its own process session that ignores every signal it can.
    let directory = server.data.path().join("daemon");
    std::fs::create_dir_all(&directory).unwrap();
    let code = format!(
        "import subprocess\nkeep = subprocess.Popen(['sh', '-c', 'trap \"\" TERM INT HUP; cd {0}; while :; do sleep 1; done'], start_new_session=True)",
        directory.display()
    );
    session.run("pyspark", &code);
    // The driver also hangs in its own shutdown.
    session.run(
        "spark",
        "sys.addShutdownHook { while (true) Thread.sleep(1000) }",
    );
    let mine = || {
        server
            .processes()
            .into_iter()
            .filter(|line| line.contains(&format!("/s-{}-", session.id)) || line.contains("trap"))
            .collect::<Vec<_>>()
    };
    let busy = session.post("pyspark", "import time\ntime.sleep(600)");
    session.await_running(busy);
    assert!(!mine().is_empty());
    post(&format!("{}/stop", session.url), &json!({}));
    eventually("nothing is left of the driver", PATIENCE, || {
        mine().is_empty().then_some(())
    });
    eventually("the session has ended", PATIENCE, || {
        ["dead", "killed"]
            .contains(&session.state().as_str())
            .then_some(())
    });
    // The interrupted statement says that the stop ended it.
    let cut_off = session.statement(busy)["output"].clone();
    assert_eq!(cut_off["ename"], "SessionEnded", "{cut_off:#}");
    session.delete();
    assert_eq!(session.state(), "gone");
}

fn while_starting(shared: &Shared) {
    let server = shared.server();
    let session = server.create(&json!({"kind": "pyspark"}));
    let mine = || {
        server
            .processes()
            .into_iter()
            .filter(|line| line.contains(&format!("/s-{}-", session.id)))
            .collect::<Vec<_>>()
    };
    eventually("the driver is being started", PATIENCE, || {
        (!mine().is_empty()).then_some(())
    });
    session.delete();
    eventually(
        "nothing is left of the driver",
        Duration::from_mins(1),
        || mine().is_empty().then_some(()),
    );
}

fn heartbeat(shared: &Shared) {
    let server = shared.server();
    let session = server.create(&json!({"kind": "sql", "heartbeatTimeoutInSecond": 3, "conf": {"spark.ui.enabled": "false"}}));
    session.await_idle();
    // A request for the list names no session.
    eventually("the session is given up", Duration::from_mins(1), || {
        let (_, list) = crate::client::get(&format!("{}/sessions", server.url));
        let listed = list["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["id"] == session.id);
        (!listed).then_some(())
    });
}

fn second_signal(shared: &Shared) {
    let server = Server::start(&shared.spark.home, &[]);
    let session = server.create(&json!({"kind": "pyspark", "conf": {"spark.ui.enabled": "false"}}));
    session.await_idle();
    let stubborn = "import time\nwhile True:\n    try:\n        time.sleep(600)\n    except BaseException:\n        pass";
    let id = session.post("pyspark", stubborn);
    session.await_running(id);
    server.signal();
    // Two signals in quick succession merge into one, so the second is sent after the server has
    // handled the first.
    let url = format!("{}/sessions", server.url);
    eventually("the server drains", PATIENCE, || {
        (post(&url, &json!({"kind": "sql"})).0 == 503).then_some(())
    });
    server.signal();
    assert_eq!(server.await_exit().code(), Some(128 + 15));
    let left = server.processes();
    assert!(left.is_empty(), "{left:#?}");
}
