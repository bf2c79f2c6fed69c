//! The states of many sessions and batches in one request.

use axum::body::Body;
use axum::http::Request;
use livius_domain::{BatchId, Exit, SessionId};
use livius_testkit::{Answer, ScriptedAgent, World};
use serde_json::{Value, json};

const S0: SessionId = SessionId(0);
const S1: SessionId = SessionId(1);
const B0: BatchId = BatchId(0);

/// A world with an ended session, one that is ready, one that starts, and an ended batch.
async fn world() -> (World, ScriptedAgent) {
    let world = World::new().await;
    for _ in 0..3 {
        let created = world.post("/sessions", r#"{"kind":"spark"}"#).await;
        assert_eq!(created.status, 201, "{}", created.text);
    }
    world.post("/batches", r#"{"file":"hdfs://h/a"}"#).await;
    world.driver(S0).await.1.exit(Exit::Code(3));
    world.await_state(S0, "dead").await;
    let mut agent = ScriptedAgent::connect(&world, S1).await;
    agent.ready().await;
    world.await_state(S1, "idle").await;
    world.batch_process(B0).await.1.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    (world, agent)
}

async fn known(world: &World, path: &str, tag: &str) -> Answer {
    let request = Request::get(path).header("if-none-match", tag);
    world.send(request.body(Body::empty()).unwrap()).await
}

fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn many_states_come_at_once() {
    let (world, _agent) = world().await;
    let path = "/api/v1/status?sessions=7,1,0,2,0&batches=0%2C3";
    let answer = world.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let shown = answer.json();
    let app = world.get("/api/v1/sessions/1").await.json()["appId"].clone();
    assert!(app.is_string(), "{app}");
    let starting = world.get("/sessions/2/state").await.json()["state"].clone();
    assert_eq!(
        shown,
        json!({
            "sessions": [
                {"id": 1, "state": "idle", "terminal": false, "appId": app, "outcome": null, "reason": null},
                {"id": 0, "state": "dead", "terminal": true, "appId": null, "outcome": "failed", "reason": "driver_exited"},
                {"id": 2, "state": starting, "terminal": false, "appId": null, "outcome": null, "reason": null},
            ],
            "batches": [
                {"id": 0, "state": "success", "terminal": true, "appId": null, "outcome": "succeeded", "reason": null},
            ],
            "absent": {"sessions": [7], "batches": [3]},
        })
    );
    world.delete("/sessions/0").await;
    let shown = world.get(path).await.json();
    assert_eq!(shown["absent"]["sessions"], json!([7, 0]));
}

#[tokio::test]
async fn the_tag_changes_with_the_answer_and_only_then() {
    let (world, _agent) = world().await;
    let path = "/api/v1/status?sessions=0,1&batches=0";
    let first = world.get(path).await;
    let unchanged = known(&world, path, &tag(&first)).await;
    assert_eq!(
        (unchanged.status.as_u16(), unchanged.text.as_str()),
        (304, "")
    );
    assert_eq!(tag(&unchanged), tag(&first));
    assert!(!unchanged.headers.contains_key("content-type"));
    let ran = world
        .post("/sessions/1/statements", r#"{"code":"1"}"#)
        .await;
    assert_eq!(ran.status, 201);
    world.await_state(S1, "busy").await;
    let busy = known(&world, path, &tag(&first)).await;
    assert_eq!(busy.status, 200);
    assert_ne!(tag(&busy), tag(&first));
    world.driver(S1).await.1.exit(Exit::Code(1));
    world.await_state(S1, "dead").await;
    let ended = known(&world, path, &tag(&busy)).await;
    assert_eq!(ended.status, 200);
    // The ends are stored, so the next server gives the same answer.
    let world = world.crash_and_restart().await;
    let again = known(&world, path, &tag(&ended)).await;
    assert_eq!(again.status, 304, "{}", again.text);
}

#[tokio::test]
async fn the_store_is_asked_once_for_all_that_have_ended() {
    let world = World::new().await;
    for number in 0..5 {
        world.post("/sessions", "{}").await;
        let id = SessionId(number);
        world.driver(id).await.1.exit(Exit::Code(1));
        world.await_state(id, "dead").await;
    }
    let world = world.crash_and_restart().await;
    world.quiesced().await;
    let before = world.disk().calls_at_rest().expect("nothing is under way");
    let shown = world
        .get("/api/v1/status?sessions=0,1,2,3,4,5")
        .await
        .json();
    assert_eq!(shown["sessions"].as_array().map(Vec::len), Some(5));
    assert_eq!(world.disk().calls_at_rest(), Some(before + 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_name() {
    let world = World::new().await;
    let numbers = |count: i32| -> String {
        let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        numbers.join(",")
    };
    let most = world
        .get(&format!("/api/v1/status?sessions={}", numbers(1_000)))
        .await;
    assert_eq!(most.status, 200, "{}", most.text);
    assert_eq!(
        most.json()["absent"]["sessions"].as_array().map(Vec::len),
        Some(1_000)
    );
    for (query, field, words) in [
        (String::new(), "sessions", "neither sessions nor batches"),
        ("?sessions=1,x".to_owned(), "sessions", "\"x\" is not"),
        ("?batches=1,,2".to_owned(), "batches", "\"\" is not"),
        ("?sessions=-1".to_owned(), "sessions", "\"-1\" is not"),
        ("?sessions=%2B1".to_owned(), "sessions", "\"+1\" is not"),
        ("?sessions=2147483648".to_owned(), "sessions", "is not"),
        (
            "?sessions=1&batches=%F0%9F%A4%94".to_owned(),
            "batches",
            "is not",
        ),
        (
            format!("?batches={}", "1,".repeat(1_001)),
            "batches",
            "more than 1000 numbers",
        ),
        (
            format!("?batches={}", "🤔".repeat(300)),
            "batches",
            "is not",
        ),
    ] {
        let query = query.replace('🤔', "%F0%9F%A4%94");
        let refused = world.get(&format!("/api/v1/status{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        let problem = refused.json();
        assert_eq!(problem["code"], "bad_parameter", "{problem}");
        assert_eq!(problem["field"], field, "{problem}");
        let message = problem["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
        assert!(message.chars().count() < 200, "{message}");
    }
    let nothing = world.get("/api/v1/status?sessions=").await;
    assert_eq!(nothing.json()["sessions"], Value::Array(Vec::new()));
}
