//! Repetitions of requests that were done.

use std::time::Duration;

use livius_agent_link::Command;
use livius_domain::Limits;
use livius_testkit::{ScriptedAgent, World, eventually};

use super::*;

#[tokio::test]
async fn what_a_request_makes_is_made_once() {
    let world = World::new().await;
    for (path, body) in MAKING {
        let first = post(&world, path, path, body).await;
        assert_eq!(first.status, 201, "{path}: {}", first.text);
        let made = (counts(&world).await, jobs(&world).await);
        for _ in 0..2 {
            let second = post(&world, path, path, body).await;
            assert_replay(&first, &second);
            assert!(second.headers.contains_key("location"), "{path}");
        }
        assert_eq!((counts(&world).await, jobs(&world).await), made, "{path}");
    }
    assert_eq!((counts(&world).await, jobs(&world).await), ([1, 1, 1], 2));
}

#[tokio::test]
async fn the_next_server_repeats_the_first_answers() {
    let mut world = World::new().await;
    let mut first = Vec::new();
    for (path, body) in MAKING {
        first.push(post(&world, path, path, body).await);
    }
    world = world.crash_and_restart().await;
    for ((path, body), first) in MAKING.into_iter().zip(&first) {
        assert_replay(first, &post(&world, path, path, body).await);
    }
    assert_eq!((counts(&world).await, jobs(&world).await), ([1, 1, 1], 2));
}

#[tokio::test]
async fn the_first_answer_is_repeated_after_what_it_shows_has_changed() {
    let world = World::new().await;
    let first = post(&world, "k", "/sessions", "{}").await;
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    assert_replay(&first, &post(&world, "k", "/sessions", "{}").await);
    assert_eq!(counts(&world).await[0], 0);
}

#[tokio::test]
async fn without_a_key_or_with_another_one_a_request_is_another_request() {
    let world = World::new().await;
    for key in ["a", "A", "a/"] {
        assert_eq!(post(&world, key, "/batches", APP).await.status, 201);
    }
    for _ in 0..2 {
        let answer = world.post("/batches", APP).await;
        assert!(!is_replayed(&answer));
    }
    assert_eq!(counts(&world).await[1], 5);
}

#[tokio::test]
async fn callers_have_keys_of_their_own() {
    let world = World::new().await;
    let anonymous = post(&world, "k", "/batches", APP).await;
    for (number, user) in [(1, "alice"), (2, "bob")] {
        let first = post_as(&world, user, "k", "/batches", APP).await;
        assert_eq!(first.json()["id"], number);
        assert_replay(&first, &post_as(&world, user, "k", "/batches", APP).await);
    }
    assert_replay(&anonymous, &post(&world, "k", "/batches", APP).await);
    let path = "/batches?doAs=carol";
    let first = post(&world, "k", path, APP).await;
    assert_eq!(first.json()["id"], 3);
    assert_replay(&first, &post(&world, "k", path, APP).await);
}

#[tokio::test]
async fn a_repetition_may_wait_otherwise_and_write_its_path_otherwise() {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"spark"}"#).await;
    let (path, body) = ("/sessions/0/statements", r#"{"code":"1"}"#);
    let first = post(&world, "k", path, body).await;
    for path in [
        "/sessions/0/statements?wait=1ms",
        "//sessions/0/statements/",
        "/sessions/0/statements;x=y",
    ] {
        assert_replay(&first, &post(&world, "k", path, body).await);
    }
}

#[tokio::test]
async fn what_makes_nothing_is_not_done_again_either() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"spark"}"#).await;
    world.run("1").await;
    let (statement, _) = agent.expect_run().await;
    // A second cancellation of a running statement would stop it by force.
    let path = "/sessions/0/statements/0/cancel";
    let first = post(&world, "k", path, "").await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_replay(&first, &post(&world, "k", path, "").await);
    assert_eq!(agent.expect_cancel().await, statement);
    world.run("2").await;
    agent.stopped(statement).await;
    let (second, code) = agent.expect_run().await;
    assert_eq!((second.0, code.as_str()), (1, "2"));
}

#[tokio::test]
async fn an_answer_without_a_body_is_repeated() {
    let world = World::new().await;
    world.post("/sessions", "{}").await;
    let first = post(&world, "k", "/sessions/0/stop", "").await;
    assert_eq!(first.status, 204, "{}", first.text);
    assert_replay(&first, &post(&world, "k", "/sessions/0/stop", "").await);
}

#[tokio::test]
async fn our_own_interface_does_a_request_once_too() {
    let world = World::new().await;
    world.post("/batches", APP).await;
    let path = "/api/v1/batches/0/kill";
    let first = post(&world, "k", path, "").await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_replay(&first, &post(&world, "k", path, "").await);
    let other = post(&world, "k", path, "{}").await;
    assert_eq!(other.status, 422);
    assert_eq!(other.headers["content-type"], "application/problem+json");
    assert_eq!(other.json()["code"], "key_reused");
}

#[tokio::test]
async fn only_post_has_keys() {
    let world = World::new().await;
    post(&world, "k", "/sessions", "{}").await;
    for method in ["GET", "DELETE"] {
        let request = Request::builder().method(method).uri("/sessions/0");
        let request = request.header("idempotency-key", "k").body(Body::empty());
        let answer = world.send(request.unwrap()).await;
        assert_eq!(answer.status, 200);
        assert!(!is_replayed(&answer));
    }
    assert_eq!(counts(&world).await[0], 0);
}

#[tokio::test]
async fn an_answer_that_is_not_kept_is_made_again() {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"spark"}"#).await;
    // The code makes the answer longer than answers that are kept.
    let body = serde_json::json!({ "code": "1".repeat(70_000) }).to_string();
    let path = "/sessions/0/statements";
    let first = post(&world, "k", path, &body).await;
    assert_eq!(first.status, 201);
    assert_replay(&first, &post(&world, "k", path, &body).await);
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    let (statement, _) = agent.expect_run().await;
    agent.finished(statement, "done").await;
    world.await_statement(S0, 0, "available").await;
    let now = post(&world, "k", path, &body).await;
    assert_eq!((now.status.as_u16(), is_replayed(&now)), (201, true));
    assert_eq!(now.json()["state"], "available");
    assert_eq!(counts(&world).await[2], 1);
}

#[tokio::test]
async fn an_answer_about_what_is_gone_is_not_made_up() {
    let world = World::new().await;
    world.disk().fail_next("keep_answer");
    let first = post(&world, "k", "/sessions", "{}").await;
    assert_eq!(first.status, 201);
    world.delete("/sessions/0").await;
    let gone = post(&world, "k", "/sessions", "{}").await;
    assert_eq!(gone.status, 410, "{}", gone.text);
    assert!(gone.text.contains("session 0"), "{}", gone.text);
    assert!(!is_replayed(&gone));
    assert_eq!(post(&world, "new", "/sessions", "{}").await.status, 201);
}

/// Waits until a key is forgotten. A server forgets when it starts, and every minute.
async fn forgotten(world: &World, key: &str) {
    let path = format!("/api/v1/keys/{key}");
    eventually("the key is forgotten", async || {
        (world.get(&path).await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn keys_are_forgotten_after_their_time() {
    let world = World::limited(Limits {
        key_retention: Duration::from_hours(2),
        ..Limits::default()
    })
    .await;
    post(&world, "k", "/batches", APP).await;
    world.clock().advance(Duration::from_hours(1));
    let world = world.crash_and_restart().await;
    world.quiesced().await;
    assert!(is_replayed(&post(&world, "k", "/batches", APP).await));
    world.clock().advance(Duration::from_hours(2));
    let world = world.crash_and_restart().await;
    forgotten(&world, "k").await;
    let again = post(&world, "k", "/batches", APP).await;
    assert_eq!(again.json()["id"], 1);
}

#[tokio::test]
async fn the_oldest_keys_are_forgotten_when_there_are_too_many() {
    let world = World::limited(Limits {
        keys: 1,
        ..Limits::default()
    })
    .await;
    for key in ["old", "new"] {
        world.clock().advance(Duration::from_secs(1));
        post(&world, key, "/batches", APP).await;
    }
    let world = world.crash_and_restart().await;
    forgotten(&world, "old").await;
    assert!(is_replayed(&post(&world, "new", "/batches", APP).await));
    assert_eq!(counts(&world).await[1], 2);
}

#[tokio::test]
async fn a_job_is_sent_to_its_driver_once() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"shared"}"#).await;
    let (path, body) = MAKING[3];
    for _ in 0..3 {
        assert_eq!(post(&world, "k", path, body).await.status, 201);
    }
    assert!(matches!(agent.command().await, Command::Job { .. }));
    agent.settled().await;
    assert_eq!(agent.commands_on_the_way(), 0);
}
