//! Headers of every request, and messages about refusals.

use std::net::TcpListener;

use serde_json::json;

use crate::scripted::{Scripted, ended, livius, ok};

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
