//! Keys that cannot be taken, and requests that are refused.

use axum::http::HeaderValue;
use livius_testkit::World;

use super::*;

#[tokio::test]
async fn a_key_is_not_for_two_requests() {
    let world = World::new().await;
    world.post("/sessions", "{}").await;
    post(&world, "k", "/batches", APP).await;
    let other_app = r#"{"file":"hdfs://h/other.py"}"#;
    for (path, body) in [
        ("/batches", other_app),
        ("/batches", ""),
        ("/batches?x=1", APP),
        ("/sessions", APP),
        ("/sessions/0/stop", APP),
        ("/api/v1/batches/0/kill", APP),
    ] {
        let refused = post(&world, "k", path, body).await;
        assert_eq!(refused.status, 422, "{path} {body}");
        assert!(!is_replayed(&refused));
        for words in ["Idempotency-Key", "POST /batches", "send a new key"] {
            assert!(refused.text.contains(words), "{}", refused.text);
        }
    }
    assert_eq!(counts(&world).await, [1, 1, 0]);
    assert!(is_replayed(&post(&world, "k", "/batches", APP).await));
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused_in_the_words_of_the_interface() {
    let world = World::new().await;
    let long = "k".repeat(256);
    for (path, content_type) in [
        ("/sessions", "application/json;charset=utf-8"),
        ("/api/v1/batches/0/kill", "application/problem+json"),
    ] {
        for key in [&b""[..], b"a b", b"\xff", long.as_bytes()] {
            let key = HeaderValue::from_bytes(key).unwrap();
            let request = Request::post(path).header("idempotency-key", key);
            let refused = world.send(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!(refused.status, 400, "{}", refused.text);
            assert_eq!(refused.headers["content-type"], content_type);
            assert!(refused.text.contains("Idempotency-Key"), "{}", refused.text);
        }
        let two = request(path, "a").header("idempotency-key", "b");
        let refused = world.send(two.body(Body::from("{}")).unwrap()).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
    }
    let twice = request("/batches", "a").header("idempotency-key", "a");
    let taken = world.send(twice.body(Body::from(APP)).unwrap()).await;
    assert_eq!(taken.status, 201);
    assert_eq!(counts(&world).await, [0, 1, 0]);
}

#[tokio::test]
async fn a_key_of_a_very_long_user_is_refused() {
    let world = World::new().await;
    let path = format!("/sessions?doAs={}", "u".repeat(256));
    let refused = post(&world, "k", &path, "{}").await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.text.contains("Idempotency-Key"), "{}", refused.text);
}

#[tokio::test]
async fn a_request_that_was_refused_leaves_its_key_free() {
    let world = World::new().await;
    for (path, wrong, right) in [
        ("/sessions", r#"{"kind":"cobol"}"#, r#"{"kind":"spark"}"#),
        ("/batches", "{", APP),
        (
            "/sessions/0/statements",
            r#"{"code":"1","kind":"shared"}"#,
            r#"{"code":"1"}"#,
        ),
        ("/sessions/0/submit-job", "{}", r#"{"job":"Zm9v"}"#),
    ] {
        let refused = post(&world, path, path, wrong).await;
        assert!(refused.status.is_client_error(), "{path}: {refused:?}");
        let found = format!("/api/v1/keys/{}", path.replace('/', "%2F"));
        assert_eq!(world.get(&found).await.status, 404, "{path}");
        let repaired = post(&world, path, path, right).await;
        assert_eq!(repaired.status, 201, "{path}: {}", repaired.text);
        assert!(!is_replayed(&repaired));
    }
}

#[tokio::test]
async fn a_name_that_is_taken_leaves_the_key_free() {
    let world = World::new().await;
    let named = r#"{"name":"n"}"#;
    post(&world, "first", "/sessions", named).await;
    let refused = post(&world, "second", "/sessions", named).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let repaired = post(&world, "second", "/sessions", "{}").await;
    assert_eq!(repaired.status, 201);
    let again = post(&world, "first", "/sessions", named).await;
    assert!(is_replayed(&again));
}

#[tokio::test]
async fn what_is_withdrawn_leaves_the_key_free() {
    // The session or batch is stored, and its driver is not.
    for (path, body) in MAKING.into_iter().take(2) {
        let world = World::new().await;
        world.disk().fail_next("create_driver");
        let refused = post(&world, "k", path, body).await;
        assert_eq!(refused.status, 500, "{}", refused.text);
        assert_eq!(counts(&world).await, [0, 0, 0]);
        let again = post(&world, "k", path, body).await;
        assert_eq!(again.status, 201, "{}", again.text);
        assert!(!is_replayed(&again));
        assert_eq!(again.json()["id"], 1);
    }
}
