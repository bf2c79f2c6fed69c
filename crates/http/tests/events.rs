//! Server-Sent Events: what changes, as it changes.

use std::io::Write as _;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use livius_domain::{BatchId, Exit, OutputStream, SessionId, StageProgress, StatementId};
use livius_http::Options;
use livius_sessions::ShutdownPolicy;
use livius_testkit::{FakeProcess, ScriptedAgent, World, pass};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const S0: SessionId = SessionId(0);
const FIRST: StatementId = StatementId(0);
const STATEMENT: &str = "/api/v1/sessions/0/statements/0/events";
const SESSION: &str = "/api/v1/sessions/0/events";

/// An event as a client reads it.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

/// A client that follows something.
struct Reader {
    body: Body,
    text: String,
}

impl Reader {
    async fn open(world: &World, path: &str, last: Option<&str>) -> Self {
        Self::at(world.router(), path, last).await
    }

    async fn at(router: Router, path: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// Waits for the next event; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = parsed(event);
                self.text = String::from(rest);
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let frame = self.body.frame().await?.unwrap();
            let bytes = frame.into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.expect("an event");
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

/// Reads an event; `None` for a comment.
fn parsed(text: &str) -> Option<Event> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_start().to_owned())
    };
    Some(Event {
        id: field("id:").unwrap_or_default(),
        name: field("event:")?,
        data: serde_json::from_str(&field("data:")?).unwrap(),
    })
}

/// A session whose first statement runs.
async fn running(world: &World) -> ScriptedAgent {
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("f()").await;
    agent.expect_run().await;
    agent.started(FIRST).await;
    world.await_statement(S0, 0, "running").await;
    agent
}

#[tokio::test]
async fn output_comes_while_the_code_runs_and_the_end_has_all_of_it() {
    let world = World::new().await;
    let mut agent = running(&world).await;
    let mut reader = Reader::open(&world, STATEMENT, None).await;
    let begun = reader.expect("statement").await.data;
    assert_eq!(
        (&begun["id"], &begun["state"]),
        (&json!(0), &json!("running"))
    );
    assert!(begun["started"].as_i64() > Some(0), "{begun}");

    agent.printed(FIRST, OutputStream::Stdout, 0, "one\n").await;
    let first = reader.expect("output").await;
    assert_eq!(first.data, json!({"stream": "stdout", "text": "one\n"}));
    agent.printed(FIRST, OutputStream::Stderr, 0, "bad\n").await;
    let second = reader.expect("output").await;
    assert_eq!(second.data, json!({"stream": "stderr", "text": "bad\n"}));
    assert_eq!((first.id.as_str(), second.id.as_str()), ("4-0", "4-4"));

    let stage = StageProgress {
        id: 3,
        name: "count at <stdin>:1".to_owned(),
        tasks: 4,
        done: 1,
        running: 2,
    };
    agent.stages(FIRST, 0.25, vec![stage]).await;
    let progress = reader.expect("statement").await.data;
    let stages =
        json!([{"id": 3, "name": "count at <stdin>:1", "tasks": 4, "done": 1, "running": 2}]);
    assert_eq!(
        (&progress["progress"], &progress["stages"]),
        (&json!(0.25), &stages)
    );

    agent.printed(FIRST, OutputStream::Stdout, 4, "two\n").await;
    agent.finished(FIRST, "one\ntwo\nbad").await;
    assert_eq!(reader.expect("output").await.data["text"], "two\n");
    let end = reader.expect("end").await;
    assert_eq!(
        (end.id.as_str(), &end.data["state"]),
        ("end", &json!("available"))
    );
    assert_eq!(end.data["output"]["data"]["text/plain"], "one\ntwo\nbad");
    assert_eq!(reader.next().await, None);
    let request = Request::get(STATEMENT).header("last-event-id", "end");
    let again = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (204, ""));
}

#[tokio::test]
async fn a_client_goes_on_where_it_was_and_is_told_what_it_missed() {
    let world = World::new().await;
    let mut agent = running(&world).await;
    for (offset, text) in [(0, "one"), (3, "two"), (10, "four")] {
        agent
            .printed(FIRST, OutputStream::Stdout, offset, text)
            .await;
    }
    world.quiesced().await;
    for (last, expected) in [
        (None, json!([["one", null], ["two", null], ["four", 4]])),
        (Some("3-0"), json!([["two", null], ["four", 4]])),
        (Some("14-0"), json!([])),
    ] {
        let mut reader = Reader::open(&world, STATEMENT, last).await;
        reader.expect("statement").await;
        let mut seen = Vec::new();
        while let Some(event) = reader.next().now_or_never() {
            let data = event.unwrap().data;
            seen.push(json!([data["text"], data["missing"]]));
        }
        assert_eq!(Value::from(seen), expected, "{last:?}");
    }
    // The same by a parameter, after a restart: the server has no text any more, and the agent
    // counts on.
    let world = world.crash_and_restart().await;
    agent.disconnect();
    agent.reconnect(&world).await;
    let mut reader = Reader::open(&world, &format!("{STATEMENT}?lastEventId=14-0"), None).await;
    reader.expect("statement").await;
    agent.printed(FIRST, OutputStream::Stdout, 20, "five").await;
    let data = reader.expect("output").await.data;
    assert_eq!(
        data,
        json!({"stream": "stdout", "text": "five", "missing": 6})
    );
}

#[tokio::test]
async fn a_running_statement_shows_what_it_has_printed_to_who_asks_for_it() {
    let world = World::new().await;
    let mut agent = running(&world).await;
    let path = "/sessions/0/statements/0?partial=true";
    let nothing = json!({"partial": {"stdout": "", "stderr": "", "isCut": false}});
    assert_eq!(world.get(path).await.json()["output"], nothing);
    agent.printed(FIRST, OutputStream::Stdout, 0, "one\n").await;
    agent.printed(FIRST, OutputStream::Stderr, 2, "bad\n").await;
    world.quiesced().await;
    let printed = json!({"partial": {"stdout": "one\n", "stderr": "bad\n", "isCut": true}});
    assert_eq!(world.get(path).await.json()["output"], printed);
    let plain = world.get("/sessions/0/statements/0").await.json();
    assert_eq!(plain["output"], Value::Null);
    agent.finished(FIRST, "one").await;
    world.await_statement(S0, 0, "available").await;
    let ended = world.get(path).await.json();
    assert_eq!(ended["output"]["data"]["text/plain"], "one");
}

#[tokio::test]
async fn a_session_tells_its_states_and_those_of_its_statements() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let mut reader = Reader::open(&world, SESSION, None).await;
    let first = reader.expect("session").await;
    assert_eq!(
        (first.id.as_str(), &first.data["state"]),
        ("1", &json!("idle"))
    );
    world.run("f()").await;
    agent.expect_run().await;
    agent.started(FIRST).await;
    world.await_statement(S0, 0, "running").await;
    agent.finished(FIRST, "2").await;
    let mut seen = Vec::new();
    while seen.last() != Some(&"session idle".to_owned()) {
        let event = reader.next().await.unwrap();
        seen.push(format!(
            "{} {}",
            event.name,
            event.data["state"].as_str().unwrap()
        ));
    }
    for expected in ["session busy", "statement running", "statement available"] {
        assert!(
            seen.contains(&expected.to_owned()),
            "{expected} in {seen:?}"
        );
    }
    world.driver(S0).await.1.exit(Exit::Code(3));
    let mut last = None;
    while let Some(event) = reader.next().await {
        last = Some(event);
    }
    let last = last.unwrap();
    assert_eq!((last.id.as_str(), last.name.as_str()), ("end", "end"));
    assert_eq!(last.data["state"], "dead");
    assert_eq!(last.data["reason"], "driver_exited");
    // A client that comes later is told of the end at once.
    let mut late = Reader::open(&world, SESSION, Some("1")).await;
    assert_eq!(late.expect("end").await, last);
    assert_eq!(late.next().await, None);
}

#[tokio::test]
async fn a_silent_stream_has_a_heartbeat_and_a_shutdown_ends_it() {
    let world = World::new().await;
    let _agent = running(&world).await;
    let mut reader = Reader::open(&world, STATEMENT, None).await;
    reader.expect("statement").await;
    assert!(reader.body.frame().now_or_never().is_none());
    pass(Duration::from_secs(16)).await;
    let frame = reader
        .body
        .frame()
        .await
        .unwrap()
        .unwrap()
        .into_data()
        .unwrap();
    assert_eq!(&frame[..], b":\n\n");
    let stopping = world
        .sessions()
        .shutdown(ShutdownPolicy::Keep, Duration::from_secs(10));
    let reading = async { while reader.next().await.is_some() {} };
    tokio::join!(stopping, reading);
}

#[tokio::test]
async fn requests_that_cannot_be_followed_are_refused() {
    let world = World::new().await;
    let _agent = running(&world).await;
    let missing = world.get("/api/v1/sessions/7/events").await;
    assert_eq!(
        (missing.status.as_u16(), &missing.json()["code"]),
        (404, &json!("not_found"))
    );
    let missing = world.get("/api/v1/sessions/0/statements/7/events").await;
    assert_eq!(missing.status, 404, "{}", missing.text);
    let bad = world.get(&format!("{STATEMENT}?lastEventId=x")).await;
    assert_eq!(
        (bad.status.as_u16(), &bad.json()["field"]),
        (400, &json!("Last-Event-ID"))
    );
    let options = Options {
        waits_of_one_client: 1,
        ..Options::default()
    };
    let router = livius_http::router(world.sessions().clone(), world.batches().clone(), options);
    let first = Reader::at(router.clone(), STATEMENT, None).await;
    let request = Request::get(STATEMENT).body(Body::empty()).unwrap();
    let full = router.clone().oneshot(request).await.unwrap();
    assert_eq!(full.status(), 429);
    assert!(full.headers().contains_key("retry-after"));
    drop(first);
    Reader::at(router, STATEMENT, None).await;
}

const LOG: &str = "/api/v1/batches/0/log/events";

/// A batch that runs, and its file of standard output.
async fn writing(world: &World) -> (FakeProcess, std::fs::File) {
    world.post("/batches", r#"{"file":"hdfs://h/a"}"#).await;
    let (order, process) = world.batch_process(BatchId(0)).await;
    let path = world.dir_of(&order).join("stdout.log");
    (process, std::fs::File::create(path).unwrap())
}

fn lines(event: &Event) -> Value {
    assert_eq!(event.name, "log");
    event.data["lines"].clone()
}

#[tokio::test]
async fn a_log_is_followed_line_by_line_to_its_end() {
    let world = World::new().await;
    let (process, mut file) = writing(&world).await;
    file.write_all(b"one\ntwo\nthr").unwrap();
    let mut reader = Reader::open(&world, LOG, None).await;
    let first = reader.expect("log").await;
    assert_eq!(
        first.data,
        json!({"stream": "stdout", "lines": ["one", "two"]})
    );
    assert_eq!(first.id, "2-0");
    file.write_all(b"ee\nfour\n").unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let news = lines(&reader.expect("log").await);
        seen.extend(news.as_array().unwrap().clone());
    }
    assert_eq!(seen, [json!("three"), json!("four")]);
    file.write_all(b"five").unwrap();
    process.exit(Exit::Code(0));
    let mut rest = Vec::new();
    let end = loop {
        match reader.next().await.unwrap() {
            event if event.name == "end" => break event,
            event => rest.push(lines(&event)),
        }
    };
    assert_eq!(rest, [json!(["five"])]);
    assert_eq!((end.id.as_str(), reader.next().await), ("end", None));

    for (path, last, expected) in [
        (LOG.to_owned(), Some("3-0"), json!(["four", "five"])),
        (format!("{LOG}?tail=1"), None, json!(["five"])),
        (
            format!("{LOG}?tail=99"),
            None,
            json!(["one", "two", "three", "four", "five"]),
        ),
    ] {
        let mut late = Reader::open(&world, &path, last).await;
        assert_eq!(
            lines(&late.expect("log").await),
            expected,
            "{path} {last:?}"
        );
        late.expect("end").await;
    }
    for bad in ["?tail=x", "?tail=-1", "?lastEventId=9"] {
        let refused = world.get(&format!("{LOG}{bad}")).await;
        assert_eq!(refused.status, 400, "{bad} {}", refused.text);
    }
}

#[tokio::test]
async fn a_log_that_was_cut_says_so() {
    let world = World::new().await;
    let (_process, mut file) = writing(&world).await;
    file.write_all(b"one\ntwo\n").unwrap();
    let mut reader = Reader::open(&world, LOG, Some("7-0")).await;
    let cut = reader.expect("log").await;
    assert_eq!(
        cut.data,
        json!({"stream": "stdout", "lines": [], "isCut": true})
    );
    file.write_all(b"three\n").unwrap();
    assert_eq!(lines(&reader.expect("log").await), json!(["three"]));
}

#[tokio::test]
async fn a_batch_tells_its_states() {
    let world = World::new().await;
    let (process, _file) = writing(&world).await;
    let mut reader = Reader::open(&world, "/api/v1/batches/0/events", None).await;
    let first = reader.expect("batch").await.data;
    assert_eq!(
        (&first["state"], &first["terminal"]),
        (&json!("starting"), &json!(false))
    );
    process.exit(Exit::Code(3));
    let mut last = reader.next().await.unwrap();
    while let Some(event) = reader.next().await {
        last = event;
    }
    assert_eq!(
        (last.name.as_str(), &last.data["state"]),
        ("end", &json!("dead"))
    );
    assert_eq!(last.data["outcome"], "failed");
}

/// A server that has just started takes up its batches while it serves.
#[tokio::test]
async fn a_batch_that_is_not_taken_up_yet_has_not_ended() {
    let world = World::new().await;
    let (process, mut file) = writing(&world).await;
    file.write_all(b"one\n").unwrap();
    world.quiesced().await;
    let world = world.crash_and_restart_holding("unended_batches").await;
    let states = "/api/v1/batches/0/events";
    let shown = world.get("/batches/0?wait=1s&until=ended").await;
    assert_eq!(shown.json()["state"], "starting", "{}", shown.text);
    let opening = async {
        tokio::join!(
            Reader::open(&world, LOG, None),
            Reader::open(&world, states, None)
        )
    };
    let mut opening = std::pin::pin!(opening);
    tokio::select! {
        biased;
        _ = &mut opening => panic!("a stream begins before the batch is taken up"),
        () = world.quiesced() => {}
    }
    world.disk().release("unended_batches");
    let (mut log, mut states) = opening.await;
    assert_eq!(lines(&log.expect("log").await), json!(["one"]));
    states.expect("batch").await;
    process.exit(Exit::Code(0));
    log.expect("end").await;
}

#[tokio::test]
async fn a_session_log_has_both_outputs() {
    let world = World::new().await;
    let _agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let (order, _) = world.driver(S0).await;
    let dir = world.dir_of(&order);
    std::fs::write(dir.join("stdout.log"), "out\n").unwrap();
    std::fs::write(dir.join("stderr.log"), "err\n").unwrap();
    let mut reader = Reader::open(&world, "/api/v1/sessions/0/log/events", None).await;
    let mut seen = [reader.expect("log").await, reader.expect("log").await];
    seen.sort_by_key(|event| event.data["stream"].to_string());
    let shown = seen.map(|event| (event.data["stream"].clone(), lines(&event)));
    let expected = [("stderr", json!(["err"])), ("stdout", json!(["out"]))];
    assert_eq!(
        shown,
        expected.map(|(stream, lines)| (json!(stream), lines))
    );
}

const ALL: &str = "/api/v1/events";

fn told(event: &Event) -> Value {
    let data = &event.data;
    json!([event.name, data["id"], data["state"], data["kind"]])
}

#[tokio::test]
async fn every_change_of_every_session_and_batch_is_told_in_order() {
    let world = World::new().await;
    let mut reader = Reader::open(&world, ALL, None).await;
    let begin = reader.expect("begin").await;
    let _agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&json!(["session", 0, "idle", null])) {
        seen.push(told(&reader.next().await.unwrap()));
    }
    assert_eq!(seen[0], json!(["session", 0, "starting", null]));
    let (process, _file) = writing(&world).await;
    let batch = reader.expect("batch").await;
    assert_eq!(told(&batch), json!(["batch", 0, "starting", null]));
    process.exit(Exit::Code(0));
    let mut last = reader.expect("batch").await;
    while last.data["state"] != "success" {
        last = reader.expect("batch").await;
    }
    world.delete("/sessions/0").await;
    world.delete("/batches/0").await;
    let mut gone =
        [reader.expect("gone").await, reader.expect("gone").await].map(|event| told(&event));
    gone.sort_by_key(ToString::to_string);
    let expected = [
        json!(["gone", 0, null, "batch"]),
        json!(["gone", 0, null, "session"]),
    ];
    assert_eq!(gone, expected);

    // A client that comes back gets what it has not had, and nothing twice.
    let mut again = Reader::open(&world, ALL, Some(&begin.id)).await;
    assert_eq!(told(&again.next().await.unwrap()), seen[0]);
    let mut again = Reader::open(&world, ALL, Some(&last.id)).await;
    let rest = [again.expect("gone").await, again.expect("gone").await];
    assert!(rest.iter().all(|event| event.id > last.id), "{rest:?}");
    // After a restart the lists have the states.
    let world = world.crash_and_restart().await;
    let mut again = Reader::open(&world, ALL, Some(&last.id)).await;
    again.expect("missed").await;
    let bad = world.get(&format!("{ALL}?lastEventId=7")).await;
    assert_eq!(
        (bad.status.as_u16(), &bad.json()["field"]),
        (400, &json!("Last-Event-ID"))
    );
}

#[tokio::test]
async fn a_client_that_comes_a_moment_too_late_sees_little_text_all_the_same() {
    let world = World::new().await;
    let mut agent = running(&world).await;
    agent.printed(FIRST, OutputStream::Stdout, 0, "one\n").await;
    agent.finished(FIRST, "one").await;
    world.await_statement(S0, 0, "available").await;
    let mut reader = Reader::open(&world, STATEMENT, None).await;
    assert_eq!(reader.expect("output").await.data["text"], "one\n");
    reader.expect("end").await;
    world.run("g()").await;
    let (second, _) = agent.expect_run().await;
    agent.started(second).await;
    agent
        .printed(second, OutputStream::Stdout, 0, &"x".repeat(9_000))
        .await;
    agent.finished(second, "x").await;
    world.await_statement(S0, 1, "available").await;
    for statement in 0..2 {
        let path = STATEMENT.replace("statements/0", &format!("statements/{statement}"));
        Reader::open(&world, &path, None).await.expect("end").await;
    }
}
