//! The audit log: its lines, and what is never in one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use livius_domain::{SessionId, SystemClock};
use livius_http::{AuthenticatedUser, PeerAddress};
use livius_metrics::Metrics;
use livius_sessions::{Audit, AuditEntry};
use livius_testkit::{World, WorldOptions};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt as _;

const S0: SessionId = SessionId(0);

/// A world with an audit log, and the lines that its writer gets.
struct Audited {
    world: World,
    entries: mpsc::Receiver<AuditEntry>,
}

impl Audited {
    async fn new(has_reads: bool) -> Self {
        let clock = Arc::new(SystemClock);
        let (audit, entries) = Audit::new(clock, Metrics::default(), has_reads);
        let world = World::with(WorldOptions {
            audit,
            ..WorldOptions::default()
        })
        .await;
        Self { world, entries }
    }

    /// The lines so far.
    fn texts(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Ok(entry) = self.entries.try_recv() {
            if let AuditEntry::Line(text) = entry {
                texts.push(text);
            }
        }
        texts
    }

    /// The lines so far, without the fields whose values no test knows.
    fn lines(&mut self) -> Vec<Value> {
        let texts = self.texts();
        let lines = texts.iter().map(|text| {
            let mut line: Value = serde_json::from_str(text).unwrap();
            let fields = line.as_object_mut().unwrap();
            for name in ["time", "durationMs"] {
                // The line of an end has no duration.
                fields.remove(name);
            }
            fields.retain(|_, value| !value.is_null());
            line
        });
        lines.collect()
    }

    fn request(method: &Method, uri: &str) -> axum::http::request::Builder {
        let address: IpAddr = "::ffff:10.0.0.7".parse().unwrap();
        Request::builder()
            .method(method)
            .uri(uri)
            .header("x-request-id", "r-1")
            .extension(AuthenticatedUser("ann".to_owned()))
            .extension(PeerAddress(address))
    }

    async fn send(&self, method: &Method, uri: &str, body: &str) -> u16 {
        let request = Self::request(method, uri).body(Body::from(body.to_owned()));
        self.world.send(request.unwrap()).await.status.as_u16()
    }
}

#[tokio::test]
async fn a_change_has_a_line_with_who_what_and_the_outcome() {
    let mut audited = Audited::new(false).await;
    let secret = r#"{"name":"n","kind":"spark","conf":{"spark.my.password":"s3cr3t"}}"#;
    let created = audited
        .send(&Method::POST, "/sessions?doAs=bob", secret)
        .await;
    assert_eq!(created, 201);
    let texts = audited.texts();
    assert_eq!(texts.len(), 1);
    assert!(!texts[0].contains("s3cr3t"), "{texts:?}");
    let line: Value = serde_json::from_str(&texts[0]).unwrap();
    assert!(
        line["time"].is_string() && line["durationMs"].is_u64(),
        "{line}"
    );
    let expected = json!({
        "event": "request", "requestId": "r-1", "user": "ann", "doAs": "bob", "peer": "10.0.0.7",
        "method": "POST", "route": "/sessions", "action": "session_create", "made": "/sessions/0",
        "replayed": false, "status": 201,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&line[name], value, "{name}");
    }
    let code = r#"{"code":"the_code()"}"#;
    audited
        .send(&Method::POST, "/sessions/n/statements", code)
        .await;
    audited
        .send(&Method::POST, "//sessions/0/statements/0/cancel", "")
        .await;
    audited
        .send(&Method::POST, "/sessions/0/jobs/7/cancel", "")
        .await;
    audited
        .send(&Method::POST, "/api/v1/batches/9/kill", "")
        .await;
    audited
        .send(&Method::POST, "/sessions/0?_method=DELETE", "")
        .await;
    let lines = audited.lines();
    let shown = lines.iter().filter(|line| line["event"] == "request");
    let shown = shown.map(|line| {
        let of = ["session", "batch", "statement", "job", "code"].map(|name| line[name].as_str());
        (
            line["action"].as_str().unwrap(),
            line["status"].as_u64().unwrap(),
            of,
        )
    });
    let (s0, named) = (Some("0"), Some("n"));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            ("statement_run", 201, [named, None, None, None, None]),
            ("statement_cancel", 200, [s0, None, s0, None, None]),
            ("job_cancel", 200, [s0, None, None, Some("7"), None]),
            (
                "batch_kill",
                404,
                [None, Some("9"), None, None, Some("not_found")]
            ),
            ("session_delete", 200, [s0, None, None, None, None]),
        ]
    );
}

#[tokio::test]
async fn reads_have_lines_only_if_a_setting_says_so_and_refused_callers_always() {
    let mut audited = Audited::new(false).await;
    assert_eq!(audited.send(&Method::GET, "/sessions", "").await, 200);
    assert_eq!(audited.send(&Method::GET, "/sessions/7", "").await, 404);
    assert_eq!(
        audited
            .send(&Method::POST, "/sessions?_method=GET", "")
            .await,
        200
    );
    assert_eq!(audited.lines(), Vec::<Value>::new());
    let strange = Audited::request(&Method::GET, "/sessions").header("host", "evil");
    let refused = audited
        .world
        .send(strange.body(Body::empty()).unwrap())
        .await;
    assert_eq!(refused.status, 403);
    let lines = audited.lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        lines[0],
        json!({
            "event": "request", "requestId": "r-1", "user": "ann", "peer": "10.0.0.7",
            "method": "GET", "replayed": false, "status": 403, "code": "strange_host",
        })
    );
    assert_eq!(audited.send(&Method::GET, "/api/v1/agent", "").await, 401);
    assert_eq!(audited.lines()[0]["action"], "agent_connect");
    let mut audited = Audited::new(true).await;
    audited.send(&Method::GET, "/sessions", "").await;
    assert_eq!(audited.lines()[0]["action"], "session_list");
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_escape_the_log() {
    let mut audited = Audited::new(false).await;
    let spark = r#"{"kind":"spark"}"#;
    audited.send(&Method::POST, "/sessions", spark).await;
    audited.texts();
    let waits = Audited::request(&Method::POST, "/sessions/0/statements?wait=30s");
    let body = Body::from(r#"{"code":"1"}"#);
    let answer = audited.world.router().oneshot(waits.body(body).unwrap());
    let hung_up = tokio::time::timeout(Duration::from_millis(200), answer).await;
    assert!(hung_up.is_err(), "the session has no driver that is ready");
    let lines = audited.lines();
    assert_eq!(
        lines,
        [json!({
            "event": "request", "requestId": "r-1", "user": "ann", "peer": "10.0.0.7",
            "method": "POST", "route": "/sessions/{id}/statements", "action": "statement_run",
            "session": "0", "replayed": false,
        })]
    );
}

#[tokio::test]
async fn the_end_of_a_session_has_a_line_with_its_cause() {
    let mut audited = Audited::new(false).await;
    audited.send(&Method::POST, "/sessions", "{}").await;
    audited.world.driver(S0).await;
    audited.texts();
    audited.world.clock().advance(Duration::from_hours(2));
    let line = livius_testkit::eventually("the session has ended", async || {
        let entry = audited.entries.try_recv().ok()?;
        match entry {
            AuditEntry::Line(text) => Some(text),
            AuditEntry::Flush(_) => None,
        }
    })
    .await;
    let line: Value = serde_json::from_str(&line).unwrap();
    for (name, value) in [
        ("event", json!("session_ended")),
        ("session", json!(0)),
        ("owner", json!("ann")),
        ("outcome", json!("failed")),
        ("cause", json!("start_timeout")),
        ("code", json!("start_timeout")),
    ] {
        assert_eq!(line[name], value, "{line}");
    }
}
