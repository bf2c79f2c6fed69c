//! Our own lists of sessions and batches, with filters and cursors.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use livius_domain::{BatchId, Exit, SessionId};
use livius_testkit::World;
use serde_json::{Value, json};

const S1: SessionId = SessionId(1);
const B0: BatchId = BatchId(0);

/// Makes a session or a batch with a key.
async fn make(world: &World, path: &str, key: &str, body: &str) {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let made = world.send(request).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

async fn page(world: &World, path: &str) -> Value {
    let answer = world.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

/// The numbers of a list, and its total.
async fn found(world: &World, list: &str, query: &str) -> (Vec<i64>, Value) {
    let page = page(world, &format!("/api/v1/{list}?{query}")).await;
    let items = page[list].as_array().unwrap();
    let numbers = items.iter().map(|item| item["id"].as_i64().unwrap());
    (numbers.collect(), page["total"].clone())
}

#[tokio::test]
async fn sessions_are_found_by_what_they_are() {
    let world = World::new().await;
    for (key, body) in [
        ("a", r#"{"kind":"pyspark","name":"one"}"#),
        ("b", r#"{"kind":"spark"}"#),
        ("c&d", r#"{"kind":"sql","name":"ünd"}"#),
    ] {
        make(&world, "/sessions", key, body).await;
        world.clock().advance(Duration::from_mins(1));
    }
    world.driver(S1).await.1.exit(Exit::Code(1));
    world.await_state(S1, "dead").await;
    let all = page(&world, "/api/v1/sessions").await;
    assert_eq!(all["total"], 3);
    assert_eq!(all["nextCursor"], Value::Null);
    for (place, id) in [(0, 2), (1, 1), (2, 0)] {
        let detail = page(&world, &format!("/api/v1/sessions/{id}")).await;
        assert_eq!(all["sessions"][place]["id"], id);
        // Looking at a session may change when it was last used, and nothing else.
        for field in ["name", "kind", "state", "createdAt", "endedAt", "end"] {
            assert_eq!(all["sessions"][place][field], detail[field], "{field}");
        }
    }
    for (query, expected) in [
        ("state=failed", vec![1]),
        ("state=ended", vec![1]),
        ("state=starting,ended", vec![2, 1, 0]),
        ("state=ended%2Cfailed,starting", vec![2, 1, 0]),
        ("state=running,stopping,stopped,killed", vec![]),
        ("kind=pyspark", vec![0]),
        ("kind=python", vec![0]),
        ("name=one", vec![0]),
        ("name=%C3%BCnd", vec![2]),
        ("name=on", vec![]),
        ("owner=ann", vec![]),
        ("key=b", vec![1]),
        ("key=c%26d", vec![2]),
        ("key=x", vec![]),
        ("key=b&state=starting", vec![]),
        ("since=2023-11-14T22:14:20Z", vec![2, 1]),
        ("since=2023-11-15T00:14:20%2B02:00", vec![2, 1]),
        (
            "since=2023-11-14T22:14:20Z&state=starting&kind=sql",
            vec![2],
        ),
    ] {
        let total = json!(expected.len());
        let expected = (expected, total);
        assert_eq!(found(&world, "sessions", query).await, expected, "{query}");
    }
    world.delete("/sessions/1").await;
    assert_eq!(found(&world, "sessions", "").await.0, [2, 0]);
    assert_eq!(found(&world, "sessions", "key=b").await.0, [0; 0]);
    let world = world.crash_and_restart().await;
    assert_eq!(found(&world, "sessions", "name=one").await.0, [0]);
}

#[tokio::test]
async fn batches_are_found_by_what_they_are() {
    let world = World::new().await;
    for (key, body) in [
        ("a", r#"{"file":"hdfs://h/a","name":"one"}"#),
        ("b", r#"{"file":"hdfs://h/b"}"#),
    ] {
        make(&world, "/batches", key, body).await;
        world.clock().advance(Duration::from_mins(1));
    }
    world.batch_process(B0).await.1.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    let all = page(&world, "/api/v1/batches").await;
    for (place, id) in [(0, 1), (1, 0)] {
        let detail = page(&world, &format!("/api/v1/batches/{id}")).await;
        assert_eq!(all["batches"][place]["createdAt"], detail["createdAt"]);
        assert_eq!(all["batches"][place]["file"], detail["file"]);
        assert_eq!(all["batches"][place]["end"], detail["end"]);
    }
    for (query, expected) in [
        ("state=succeeded", vec![0]),
        ("state=ended", vec![0]),
        ("state=starting", vec![1]),
        ("name=one", vec![0]),
        ("key=b", vec![1]),
        ("since=2023-11-14T22:14:20Z", vec![1]),
        ("owner=", vec![]),
    ] {
        let total = json!(expected.len());
        let expected = (expected, total);
        assert_eq!(found(&world, "batches", query).await, expected, "{query}");
    }
    world.delete("/batches/0").await;
    assert_eq!(found(&world, "batches", "").await, (vec![1], json!(1)));
}

#[tokio::test]
async fn cursors_go_on_while_others_come_and_go() {
    let world = World::new().await;
    for _ in 0..5 {
        world.post("/sessions", "{}").await;
    }
    let first = page(&world, "/api/v1/sessions?limit=2").await;
    assert_eq!(first["total"], 5);
    world.post("/sessions", "{}").await;
    for id in [3, 1] {
        world.delete(&format!("/sessions/{id}")).await;
    }
    let next = |page: &Value| page["nextCursor"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/sessions?limit=1&cursor={}", next(&first));
    let second = page(&world, &path).await;
    assert_eq!(second["sessions"][0]["id"], 2);
    assert_eq!(second["total"], 4);
    let path = format!("/api/v1/sessions?limit=9&cursor={}", next(&second));
    let last = page(&world, &path).await;
    assert_eq!(last["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(last["sessions"][0]["id"], 0);
    assert_eq!(last["nextCursor"], Value::Null);
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused_with_its_name() {
    let world = World::new().await;
    for (query, field) in [
        ("state=idle", "state"),
        ("state=", "state"),
        ("state=starting,,failed", "state"),
        ("state=succeeded", "state"),
        ("kind=cobol", "kind"),
        ("since=yesterday", "since"),
        ("since=2023-11-14", "since"),
        ("key=", "key"),
        ("key=a%20b", "key"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("cursor=", "cursor"),
        ("cursor=7", "cursor"),
        ("cursor=before--1", "cursor"),
        ("cursor=before-99999999999", "cursor"),
    ] {
        let refused = world.get(&format!("/api/v1/sessions?{query}")).await;
        assert_eq!(refused.status, 400, "{query}: {}", refused.text);
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        let problem = refused.json();
        assert_eq!(problem["code"], "bad_parameter", "{query}");
        assert_eq!(problem["field"], field, "{query}");
    }
    let refused = world.get("/api/v1/batches?state=stopped").await;
    assert_eq!(refused.status, 400);
    let hint = refused.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("succeeded, failed, killed"), "{hint}");
    let most = world.get("/api/v1/batches?limit=1000").await;
    assert_eq!(most.status, 200);
}
