//! `livius shell` with a pipe, and `livius run`.

use std::io::Write as _;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::scripted::{Scripted, ended, livius, log, ok, session, statement, text};

#[test]
fn a_piped_shell_makes_a_session_runs_statements_and_deletes_it() {
    let server = Scripted::start(&[
        ("POST /sessions", &[session("starting")]),
        ("GET /sessions/5", &[session("starting"), session("idle")]),
        (
            "POST /sessions/5/statements",
            &[
                statement(0, "waiting", &Value::Null),
                statement(
                    1,
                    "available",
                    &json!({"status": "error", "ename": "E", "evalue": "no", "traceback": []}),
                ),
                statement(2, "available", &text("2")),
            ],
        ),
        (
            "GET /sessions/5/statements/0",
            &[
                statement(0, "running", &Value::Null),
                statement(0, "available", &text("1")),
            ],
        ),
        ("DELETE /sessions/5", &[ok(&json!({"msg": "deleted"}))]),
    ]);
    let input = "def f():\n  return 1\nf()\n%sql SELECT 2;\n:kind\n";
    let ended = server.pipe(
        &[
            "shell",
            "--name",
            "n",
            "--conf",
            "a=b",
            "--num-executors",
            "2",
        ],
        input,
    );
    assert_eq!(ended.code, Some(1), "one failed: {ended:?}");
    assert_eq!(ended.stdout, "1\n2\npyspark\n");
    assert_eq!(ended.stderr, "E: no\n");
    assert_eq!(
        server.request("POST /sessions").body,
        json!({"conf": {"a": "b"}, "numExecutors": 2, "kind": "pyspark", "name": "n"})
    );
    let seen = server.seen.lock().unwrap();
    let codes: Vec<&Value> = seen
        .iter()
        .filter(|request| request.line == "POST /sessions/5/statements")
        .map(|request| &request.body)
        .collect();
    let expected = [
        json!({"code": "def f():\n  return 1"}),
        json!({"code": "f()"}),
        json!({"code": "SELECT 2", "kind": "sql"}),
    ];
    assert_eq!(codes, expected.iter().collect::<Vec<_>>());
    assert_eq!(seen.last().unwrap().line, "DELETE /sessions/5");
}

#[test]
fn a_session_that_is_there_or_kept_is_not_deleted() {
    let server = Scripted::start(&[
        ("POST /sessions", &[session("idle")]),
        ("GET /sessions/my%20one", &[session("idle")]),
        ("GET /sessions/5", &[session("idle")]),
        (
            "POST /sessions/5/statements",
            &[statement(0, "available", &text("1"))],
        ),
    ]);
    for arguments in [&["shell", "--session", "my one"][..], &["shell", "--keep"]] {
        let ended = server.pipe(arguments, "1\n");
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(0), "1\n"),
            "{}",
            ended.stderr
        );
    }
    assert!(!server.lines().iter().any(|line| line.starts_with("DELETE")));
}

#[test]
fn a_session_that_dies_explains_itself() {
    let server = Scripted::start(&[
        ("POST /sessions", &[session("starting")]),
        ("GET /sessions/5", &[session("dead")]),
        (
            "GET /sessions/5/log?from=-1&size=40",
            &[log(
                0,
                &["stdout: ", "\nstderr: ", "out of \u{1b}memory"],
                3,
            )],
        ),
        ("DELETE /sessions/5", &[ok(&json!({"msg": "deleted"}))]),
    ]);
    let ended = server.pipe(&["shell"], "1\n");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("session 5 is dead"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("out of \\u{1b}memory"),
        "{}",
        ended.stderr
    );
    assert_eq!(server.lines().last().unwrap(), "DELETE /sessions/5");
}

#[test]
fn a_shell_ends_when_its_session_has() {
    let server = Scripted::start(&[
        (
            "GET /sessions/5",
            &[session("idle"), session("idle"), session("dead")],
        ),
        (
            "POST /sessions/5/statements",
            &[(
                500,
                "\"java.lang.IllegalStateException: Session is in state dead\"".into(),
            )],
        ),
        (
            "GET /sessions/5/log?from=-1&size=40",
            &[log(0, &["stdout: ", "bye"], 2)],
        ),
    ]);
    let ended = server.pipe(&["shell", "--session", "5"], "1\n2\n");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("session 5 is dead") && ended.stderr.contains("bye"),
        "{}",
        ended.stderr
    );
}

#[test]
fn run_takes_the_kind_from_the_file_and_answers_with_its_code() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("query.sql");
    std::fs::write(&file, "SELECT 1;\n").unwrap();
    let file = file.to_str().unwrap();
    let table = json!({"status": "ok", "data": {"application/json": {"schema": {"fields": [{"name": "one"}]}, "data": [[1]]}}});
    let failure = json!({"status": "error", "ename": "E", "evalue": "no", "traceback": []});
    let server = Scripted::start(&[
        ("POST /sessions", &[session("idle")]),
        ("GET /sessions/5", &[session("idle")]),
        (
            "POST /sessions/5/statements",
            &[
                statement(0, "available", &table),
                statement(1, "available", &table),
                statement(2, "available", &failure),
            ],
        ),
        ("DELETE /sessions/5", &[ok(&json!({"msg": "deleted"}))]),
    ]);
    let ended = server.run(&["run", file]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "one\n  1\n(1 row)\n"),
        "{ended:?}"
    );
    assert_eq!(server.request("POST /sessions").body["kind"], "sql");
    assert_eq!(
        server.request("POST /sessions/5/statements").body["code"],
        "SELECT 1"
    );

    let ended = server.run(&["run", file, "--json"]);
    let shown: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&shown["id"], &shown["output"]), (&json!(1), &table));

    let ended = server.run(&["run", file]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), "E: no\n"));
    let unnamed = server.run(&["run", "/dev/null"]);
    assert!(unnamed.stderr.contains("--kind"), "{}", unnamed.stderr);
}

#[test]
fn ctrl_c_cancels_the_statement() {
    let server = Scripted::start(&[
        ("POST /sessions", &[session("idle")]),
        ("GET /sessions/5", &[session("idle")]),
        (
            "POST /sessions/5/statements",
            &[statement(0, "running", &Value::Null)],
        ),
        (
            "GET /sessions/5/statements/0",
            &[statement(0, "running", &Value::Null)],
        ),
        (
            "POST /sessions/5/statements/0/cancel",
            &[ok(&json!({"msg": "canceled"}))],
        ),
        ("DELETE /sessions/5", &[ok(&json!({"msg": "deleted"}))]),
    ]);
    let mut child = server.spawn(livius(&["run", "-", "--kind", "python"]).stdin(Stdio::piped()));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"while True: pass")
        .unwrap();
    server.await_request("GET /sessions/5/statements/0");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    server.await_request("POST /sessions/5/statements/0/cancel");
    // The cancellation never ends, so a second signal ends the wait.
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = ended(child.wait_with_output());
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(server.lines().last().unwrap(), "DELETE /sessions/5");
}
