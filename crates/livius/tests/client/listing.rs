//! Listing sessions, and ending them.

use serde_json::{Value, json};

use crate::scripted::{Scripted, log, ok, session};

#[test]
fn json_has_every_entry_as_it_came_from_all_pages() {
    let row = |id: u64| json!({"id": id, "name": "λ", "state": "idle", "more": {"of": [id]}});
    let rows: Vec<Value> = (0..201).map(row).collect();
    let page = |rows: &[Value]| ok(&json!({"from": 0, "total": 201, "sessions": rows}));
    let statement = json!({"id": 0, "code": "1\n2", "state": "available", "output": {"status": "ok"}, "more": 0.50});
    let server = Scripted::start(&[
        ("GET /sessions?from=0&size=200", &[page(&rows[..200])]),
        ("GET /sessions?from=200&size=200", &[page(&rows[200..])]),
        (
            "GET /sessions/my%20one/statements?from=0&size=200",
            &[ok(
                &json!({"total_statements": 1, "statements": [statement]}),
            )],
        ),
    ]);
    let cases: [(&[&str], Value); 2] = [
        (&["sessions"], json!(rows)),
        (&["statements", "my one"], json!([statement])),
    ];
    for (arguments, expected) in cases {
        let ended = server.run(&[arguments, &["--json"]].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        let shown: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(shown, expected);
        assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
    }
}

/// The server that the option names has the session; the one of `LIVIUS_URL` has none.
#[test]
fn an_option_before_the_command_counts() {
    let sessions = |rows: &[Value]| ok(&json!({"from": 0, "total": rows.len(), "sessions": rows}));
    let path = "GET /sessions?from=0&size=200";
    let named = Scripted::start(&[(path, &[sessions(&[json!({"id": 7})])])]);
    let other = Scripted::start(&[(path, &[sessions(&[])])]);
    let ended = other.run(&["--json", "--url", &named.url, "sessions"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, "[{\"id\":7}]\n");
    let refused = other.run(&["serve", "--url", &named.url]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused
            .stderr
            .contains("'--url' is an option of 'livius shell'"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_session_is_deleted_by_number_or_name() {
    let deleted = ok(&json!({"msg": "deleted"}));
    let server = Scripted::start(&[
        ("DELETE /sessions/5", std::slice::from_ref(&deleted)),
        ("DELETE /sessions/my%2Fone", std::slice::from_ref(&deleted)),
    ]);
    for which in ["5", "my/one"] {
        let ended = server.run(&["kill", which]);
        assert_eq!(
            (ended.code, ended.stdout, ended.stderr),
            (
                Some(0),
                format!("session {which} is deleted\n"),
                String::new()
            )
        );
    }
    assert_eq!(
        server.lines(),
        ["DELETE /sessions/5", "DELETE /sessions/my%2Fone"]
    );
}

#[test]
fn the_log_of_a_session_is_told_once() {
    let lines = ["stdout: ", "a", "\nstderr: ", "b λ"];
    let server = Scripted::start(&[
        ("GET /sessions/5", &[session("idle")]),
        (
            "GET /sessions/5/log?from=0&size=1",
            &[log(0, &lines[..1], 4)],
        ),
        (
            "GET /sessions/5/log?from=1&size=1000",
            &[log(1, &lines[1..], 4)],
        ),
        (
            "GET /sessions/5/log?from=3&size=1000",
            &[log(3, &lines[3..], 4)],
        ),
        (
            "GET /sessions/5/log?from=-1&size=1",
            &[log(3, &lines[3..], 4)],
        ),
    ]);
    let cases: [(&[&str], &str); 2] = [(&[], "a\nstderr:\nb λ\n"), (&["--tail", "1"], "b λ\n")];
    for (flags, expected) in cases {
        let ended = server.run(&[&["logs", "5"], flags].concat());
        assert_eq!(
            (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
            (Some(0), expected, ""),
            "{flags:?}"
        );
    }
}
