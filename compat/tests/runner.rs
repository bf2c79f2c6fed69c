//! The runner against scripted servers.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use livius_compat::{Options, Report, ServerKind, Suite, Target, Verdict, beside, run};

/// A server that sends these responses in order, and records the requests.
struct Script {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, answers) = (Arc::clone(&asked), answers.join("\0"));
        thread::spawn(move || {
            for answer in answers.split('\0') {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let count = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..count]).into_owned();
                kept.lock().unwrap().push(request);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let first_line = |request: &String| request.lines().next().unwrap_or_default().to_owned();
        asked.iter().map(first_line).collect()
    }
}

fn json(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json;charset=utf-8\r\n\r\n{body}")
}

fn suite(directory: &Path, scenarios: &str) -> Suite {
    let files = directory.join("scenarios");
    fs::create_dir_all(&files).unwrap();
    fs::write(files.join("one.yaml"), scenarios).unwrap();
    fs::write(
        directory.join("rules.yaml"),
        "rules:\n  - {id: a, rule: It is so.}\n",
    )
    .unwrap();
    Suite::read(&files).unwrap()
}

const SCENARIOS: &str = r"
about: a test
scenarios:
  - name: one
    pins: [a]
    steps:
      - send: POST //sessions
        json: {}
        expect: {status: 201}
        livy: {json: {id: $int}}
        livius: {json: {id: $int, more: true}}
        reason: a test
        capture: {session: /id}
      - send: GET /sessions/${session}/%zz
        until: {at: /state, is: [idle], not: [dead]}
        expect: {json: {state: idle}}
    cleanup:
      - send: DELETE /sessions/${session}
      - send: DELETE /sessions/${other}
  - {name: three, pins: [a], needs: [nothing], steps: [{send: GET /, expect: {status: 200}}]}
";

fn ask(directory: &Path, script: &Script, kind: ServerKind) -> Report {
    let target = Target::new(&script.url, Some(kind), Vec::new()).unwrap();
    run(&suite(directory, SCENARIOS), &target, &Options::default())
}

#[test]
fn a_scenario_is_sent_as_written_and_cleaned_up() {
    let directory = directory("sent");
    let script = Script::start(&[
        &json("201 Created", r#"{"id":7}"#),
        &json("200 OK", r#"{"state":"starting"}"#),
        &json("200 OK", r#"{"state":"idle"}"#),
        &json("200 OK", r#"{"msg":"deleted"}"#),
    ]);
    let report = ask(&directory, &script, ServerKind::Livy);
    assert!(report.is_clean(), "{}", report.table());
    assert_eq!(
        script.asked(),
        [
            "POST //sessions HTTP/1.1",
            "GET /sessions/7/%zz HTTP/1.1",
            "GET /sessions/7/%zz HTTP/1.1",
            "DELETE /sessions/7 HTTP/1.1",
        ]
    );
    assert!(matches!(report.outcomes[1].verdict, Verdict::Skipped(_)));
    assert!(report.sum().ends_with("1 passed, 0 differ, 1 skipped"));
}

#[test]
fn what_differs_is_told_and_ends_the_scenario() {
    let directory = directory("differs");
    let script = Script::start(&[
        &json("201 Created", r#"{"id":7}"#),
        &json("200 OK", r#"{"msg":"deleted"}"#),
    ]);
    let report = ask(&directory, &script, ServerKind::Livius);
    let (_, difference) = report.differing().next().unwrap();
    assert_eq!(
        difference.problems,
        [r#"the value has the keys ["id"], not ["id", "more"]"#]
    );
    assert!(difference.request.starts_with("POST //sessions HTTP/1.1\n"));
    // The cleanup runs anyway.
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn a_wait_ends_early_where_there_is_no_hope() {
    let directory = directory("hopeless");
    let script = Script::start(&[
        &json("201 Created", r#"{"id":7}"#),
        &json("200 OK", r#"{"state":"dead"}"#),
        &json("200 OK", "{}"),
    ]);
    let report = ask(&directory, &script, ServerKind::Livy);
    let (_, difference) = report.differing().next().unwrap();
    assert_eq!(difference.problems[0], "/state is \"dead\"");
}

#[test]
fn a_wait_ends_after_the_timeout() {
    let directory = directory("timeout");
    let mut waits = vec![json("201 Created", r#"{"id":7}"#)];
    waits.extend(std::iter::repeat_n(
        json("200 OK", r#"{"state":"starting"}"#),
        20,
    ));
    let waits: Vec<&str> = waits.iter().map(String::as_str).collect();
    let script = Script::start(&waits);
    let mut target = Target::new(&script.url, Some(ServerKind::Livy), Vec::new()).unwrap();
    target.patience = Duration::from_secs(1);
    let suite = suite(&directory, SCENARIOS);
    let report = run(&suite, &target, &Options::default());
    let (_, difference) = report.differing().next().unwrap();
    assert_eq!(
        difference.problems,
        ["it did not come within 1 s; --patience sets a longer timeout"]
    );
}

#[test]
fn a_wait_ends_where_the_server_refuses() {
    let directory = directory("refused");
    let script = Script::start(&[
        &json("201 Created", r#"{"id":7}"#),
        &json("500 Server Error", r#""gone""#),
        &json("200 OK", "{}"),
    ]);
    let report = ask(&directory, &script, ServerKind::Livy);
    let (_, difference) = report.differing().next().unwrap();
    assert_eq!(difference.problems[0], "the status is 500");
}

#[test]
fn two_servers_are_compared() {
    let directory = directory("beside");
    let all = |id: &str| {
        Script::start(&[
            &json("201 Created", &format!("{{\"id\":{id}}}")),
            &json("200 OK", r#"{"state":"idle"}"#),
            &json("200 OK", "{}"),
        ])
    };
    let [left, same] = ["7", "8"].map(|id| ask(&directory, &all(id), ServerKind::Livy));
    assert_eq!(
        beside::differences(&left, &same),
        "both servers answer alike\n"
    );
    let other = Script::start(&[&json("500 Error", r#"{"id":9}"#), &json("200 OK", "{}")]);
    let other = ask(&directory, &other, ServerKind::Livy);
    let told = beside::differences(&left, &other);
    assert!(told.contains("status\n    < 201\n    > 500"), "{told}");
    assert!(
        told.ends_with("differ in 1 scenarios: in 0 both are as expected, in 1 one is not\n"),
        "{told}"
    );
}

fn directory(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("compat-{name}"))
}
