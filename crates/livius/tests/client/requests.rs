//! Headers of every request, and messages about refusals.

use std::net::TcpListener;

use serde_json::json;

use crate::scripted::{Scripted, batch, ended, livius, lost, ok};

#[test]
fn every_request_carries_what_was_said() {
    let server = Scripted::start(&[(
        "GET /livy/sessions?from=0&size=200",
        &[ok(&json!({"total": 0, "sessions": []}))],
    )]);
    let url = format!("{}/livy/", server.url);
    let mut command = livius(&[
        "sessions",
        "--url",
        &url,
        "--header",
        "X-Team: data",
        "--user",
        "me",
    ]);
    let ended = ended(command.env("LIVIUS_PASSWORD", "pst").output());
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), "there are no sessions\n")
    );
    let headers = server
        .request("GET /livy/sessions?from=0&size=200")
        .headers
        .to_lowercase();
    for header in [
        "x-requested-by: livius",
        "x-team: data",
        "authorization: basic bwu6chn0",
    ] {
        assert!(headers.contains(header), "{header} is not in {headers}");
    }
}

#[test]
fn refusals_and_absences_are_told_with_a_remedy() {
    let server = Scripted::start(&[
        (
            "GET /sessions?from=0&size=200",
            &[(401, "<html><title>Unauthorized</title></html>".into())],
        ),
        (
            "GET /batches?from=0&size=200",
            &[(200, "<html>a front page</html>".into())],
        ),
        ("DELETE /sessions/0", &[(302, String::new())]),
    ]);
    let cases: [(&[&str], &str, i32); 5] = [
        (&["sessions"], "--user NAME", 1),
        (&["batches"], "does not look like a Livy server", 1),
        (&["kill", "0"], "302", 1),
        (&["kill", ".."], "is not the id or name", 2),
        (
            &["sessions", "--url", "http://me:pst@h"],
            "LIVIUS_PASSWORD",
            2,
        ),
    ];
    for (arguments, words, code) in cases {
        let ended = server.run(arguments);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(
            ended.stderr.contains(words),
            "{words} is not in {}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("pst"), "{}", ended.stderr);
    }
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ended = server.run(&["sessions", "--url", &format!("http://{free}")]);
    assert!(
        ended.stderr.contains(&format!(
            "cannot reach the server at http://{free}: Connection refused"
        )) && ended.stderr.contains("livius serve"),
        "{}",
        ended.stderr
    );
}

/// The keys of the requests with this line, in order.
fn keys(server: &Scripted, line: &str) -> Vec<String> {
    let seen = server.seen.lock().unwrap();
    let sent = seen.iter().filter(|request| request.line == line);
    let key = |headers: &str| {
        let mut lines = headers.lines();
        lines.find_map(|line| line.strip_prefix("idempotency-key: ").map(str::to_owned))
    };
    sent.map(|request| key(&request.headers).unwrap()).collect()
}

#[test]
fn a_request_whose_answer_is_lost_is_sent_again_with_its_key() {
    let unknown =
        json!({"code": "not_found", "message": "no request with this Idempotency-Key was done"});
    let server = Scripted::start(&[
        (
            "POST /batches",
            &[
                lost(),
                (409, json!({"msg": "in progress"}).to_string()),
                batch("starting"),
            ],
        ),
        (
            "GET /api/v1/keys/KEY",
            &[(404, unknown.to_string()), ok(&json!({"state": "done"}))],
        ),
    ]);
    let ended = server.run(&["submit", "--no-wait", "hdfs:///a.jar"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let keys = keys(&server, "POST /batches");
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(keys[0].len(), 32);
}

#[test]
fn a_server_without_keys_gets_no_request_twice() {
    let server = Scripted::start(&[
        ("POST /batches", &[lost()]),
        ("GET /api/v1/keys/KEY", &[(404, String::new())]),
    ]);
    let ended = server.run(&["submit", "--no-wait", "hdfs:///a.jar"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("broke before the answer came"),
        "{ended:?}"
    );
    assert_eq!(keys(&server, "POST /batches").len(), 1);
}
