//! Submitting batches, and following logs.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::scripted::{Scripted, batch, ended, livius, log, ok, session};

#[test]
fn submit_follows_the_log_and_ends_like_the_job() {
    let server = Scripted::start(&[
        ("POST /batches", &[batch("starting")]),
        (
            "GET /batches/3",
            &[batch("starting"), batch("running"), batch("dead")],
        ),
        (
            "GET /batches/3/log?from=0&size=1",
            &[log(0, &["stdout: "], 2)],
        ),
        (
            "GET /batches/3/log?from=1&size=1000",
            &[
                log(1, &["\nstderr: "], 2),
                log(1, &["one", "two", "\nstderr: "], 4),
                log(1, &["one", "two", "three", "\nstderr: ", "gone wrong"], 6),
            ],
        ),
        ("GET /batches/3/log?from=2&size=1000", &[log(2, &[], 2)]),
        ("GET /batches/3/log?from=4&size=1000", &[log(4, &[], 4)]),
        (
            "GET /batches/3/log?from=5&size=1000",
            &[log(5, &["gone wrong"], 6)],
        ),
        (
            "GET /api/v1/batches/3",
            &[ok(
                &json!({"end": {"exitCode": 3, "failure": {"message": "it exited", "hint": "look"}}}),
            )],
        ),
    ]);
    let ended = server.run(&[
        "submit",
        "job.jar",
        "--class",
        "A",
        "--jars",
        "hdfs:///a.jar,b.jar",
        "--",
        "x",
        "--y",
    ]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(ended.stdout, "one\ntwo\nthree\nstderr:\ngone wrong\n");
    assert!(
        ended
            .stderr
            .contains("batch 3 failed with exit code 3: it exited\n  what to do: look"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        server.request("POST /batches").body,
        json!({"jars": ["hdfs:///a.jar", "b.jar"], "file": "job.jar", "className": "A", "args": ["x", "--y"]})
    );
}

#[test]
fn other_servers_know_no_exit_code() {
    let server = Scripted::start(&[
        ("POST /batches", &[batch("starting")]),
        (
            "GET /batches/3",
            &[
                batch("dead"),
                batch("success"),
                batch("killed"),
                (404, "{}".into()),
            ],
        ),
        ("GET /batches/3/log?from=0&size=1", &[log(0, &[], 0)]),
    ]);
    let codes = [1, 0, 137, 137].map(Some);
    assert_eq!(
        [(); 4].map(|()| server.run(&["submit", "a.py"]).code),
        codes
    );
    let ended = server.run(&["submit", "a.py", "--no-wait"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "3\n"));
}

#[test]
fn an_interrupted_submit_kills_the_batch_only_when_told_to() {
    for kills in [false, true] {
        let server = Scripted::start(&[
            ("POST /batches", &[batch("starting")]),
            ("GET /batches/3", &[batch("running")]),
            ("GET /batches/3/log?from=0&size=1", &[log(0, &[], 0)]),
            ("DELETE /batches/3", &[ok(&json!({"msg": "deleted"}))]),
        ]);
        let flags: &[&str] = if kills {
            &["submit", "a.py", "--kill-on-interrupt"]
        } else {
            &["submit", "a.py"]
        };
        let child = server.spawn(&mut livius(flags));
        server.await_request("GET /batches/3/log?from=0&size=1");
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let ended = ended(child.wait_with_output());
        assert_eq!(ended.code, Some(130));
        let deleted = server
            .lines()
            .iter()
            .any(|line| line == "DELETE /batches/3");
        assert_eq!(deleted, kills);
        assert!(
            ended.stderr.contains(if kills {
                "deleting batch 3"
            } else {
                "livius kill --batch 3"
            }),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn logs_are_followed_by_name_where_the_server_keeps_the_last_lines_only() {
    let server = Scripted::start(&[
        ("GET /sessions/nightly", &[session("idle")]),
        (
            "GET /sessions/5",
            &[session("idle"), session("busy"), session("dead")],
        ),
        (
            "GET /sessions/5/log?from=0&size=1",
            &[log(0, &["stdout: "], 4)],
        ),
        (
            "GET /sessions/5/log?from=1&size=1000",
            &[
                log(1, &["a", "b", "\nstderr: ", "x"], 5),
                log(1, &["b", "c", "\nstderr: ", "x"], 5),
                log(1, &["c", "d", "\nstderr: ", "x"], 5),
            ],
        ),
        (
            "GET /sessions/5/log?from=4&size=1000",
            &[log(4, &["x"], 5), log(4, &["x"], 5), log(4, &["y"], 5)],
        ),
    ]);
    let ended = server.run(&["logs", "nightly", "--follow"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "a\nb\nstderr:\nx\nstdout:\nc\nd\nstderr:\ny\n"
    );
    assert_eq!(ended.stderr, "livius: session 5 is dead\n");
}

#[test]
fn logs_can_begin_near_their_end() {
    let whole = ["stdout: ", "a", "b", "c", "\nstderr: "];
    let server = Scripted::start(&[
        ("GET /batches/3", &[batch("success")]),
        (
            "GET /batches/3/log?from=-1&size=3",
            &[log(2, &whole[2..], 5)],
        ),
        (
            "GET /batches/3/log?from=0&size=1",
            &[log(0, &whole[..1], 5)],
        ),
        (
            "GET /batches/3/log?from=1&size=1000",
            &[log(1, &whole[1..], 5)],
        ),
        ("GET /batches/3/log?from=5&size=1000", &[log(5, &[], 5)]),
    ]);
    let cases: [(&[&str], &str); 3] = [
        (&[], "a\nb\nc\n"),
        (&["--tail", "3"], "b\nc\n"),
        (&["--tail", "2", "-f"], "b\nc\n"),
    ];
    for (flags, expected) in cases {
        let ended = server.run(&[&["logs", "--batch", "3"], flags].concat());
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(0), expected),
            "{flags:?} {}",
            ended.stderr
        );
    }
}
