//! Requests with the same key at the same time.

use futures_util::future::join_all;
use livius_testkit::{World, eventually};

use super::*;

#[tokio::test]
async fn of_requests_at_once_one_is_done_and_the_others_wait_or_repeat_it() {
    let world = World::new().await;
    for (path, body) in MAKING {
        let answers = join_all((0..8).map(|_| post(&world, path, path, body))).await;
        let first: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == 201 && !is_replayed(answer))
            .collect();
        assert_eq!(first.len(), 1, "{path}: {answers:?}");
        for other in &answers {
            let waits = other.status == 409;
            assert!(waits || other.status == 201, "{path}: {other:?}");
            if waits {
                assert_eq!(other.headers["retry-after"], "1");
                assert!(other.text.contains("Idempotency-Key"), "{}", other.text);
            }
        }
        assert_replay(first[0], &post(&world, path, path, body).await);
    }
    assert_eq!((counts(&world).await, jobs(&world).await), ([1, 1, 1], 2));
}

#[tokio::test]
async fn while_the_first_request_is_worked_on_the_next_one_has_to_wait() {
    let world = World::new().await;
    world.disk().hold("create_batch");
    let first = post(&world, "k", "/batches", APP);
    let others = async {
        world.quiesced().await;
        let waits = post(&world, "k", "/batches", APP).await;
        assert_eq!(waits.status, 409, "{}", waits.text);
        let kill = post(&world, "k", "/api/v1/batches/0/kill", "").await;
        assert_eq!(kill.status, 409, "{}", kill.text);
        assert_eq!(kill.json()["code"], "key_in_use");
        assert_eq!(kill.headers["retry-after"], "1");
        let found = world.get("/api/v1/keys/k").await;
        assert_eq!(found.json()["state"], "in_progress");
        let other = post_as(&world, "alice", "k", "/sessions", "{}").await;
        assert_eq!(other.status, 201, "another caller's key");
        world.disk().release("create_batch");
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(first.status, 201);
    assert_replay(&first, &post(&world, "k", "/batches", APP).await);
}

#[tokio::test]
async fn a_client_that_hangs_up_finds_what_its_request_made() {
    let world = World::new().await;
    for (operation, (path, body)) in [
        ("create_session", MAKING[0]),
        ("create_batch", MAKING[1]),
        ("create_statement", MAKING[2]),
        ("create_job", MAKING[3]),
    ] {
        world.disk().hold(operation);
        let answer = world.answered(post(&world, path, path, body)).await;
        assert!(answer.is_none(), "{path}: {answer:?}");
        // The server still works on it.
        let waits = post(&world, path, path, body).await;
        assert_eq!(waits.status, 409, "{path}: {}", waits.text);
        world.disk().release(operation);
        let found = eventually("the request is done", async || {
            let answer = post(&world, path, path, body).await;
            (answer.status == 201).then_some(answer)
        })
        .await;
        assert!(is_replayed(&found), "{path}");
        assert!(found.headers.contains_key("location"), "{path}");
    }
    assert_eq!((counts(&world).await, jobs(&world).await), ([1, 1, 1], 1));
}

#[tokio::test]
async fn a_request_that_waits_for_its_output_keeps_no_repetition_waiting() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"spark"}"#).await;
    let (path, body) = ("/sessions/0/statements?wait=30s", r#"{"code":"1"}"#);
    let first = post(&world, "k", path, body);
    let others = async {
        let (statement, _) = agent.expect_run().await;
        let second = post(&world, "k", "/sessions/0/statements", body).await;
        assert_eq!(second.status, 201, "{}", second.text);
        assert!(is_replayed(&second));
        assert_eq!(second.json()["id"], statement.0);
        let other = post(&world, "k", path, r#"{"code":"2"}"#).await;
        assert_eq!(other.status, 422, "{}", other.text);
        agent.finished(statement, "2").await;
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(first.json()["state"], "available");
    assert_replay(&first, &post(&world, "k", path, body).await);
    assert_eq!(counts(&world).await[2], 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_within_its_body_gives_the_key_back() {
    let world = World::new().await;
    let stalled = Body::from_stream(futures_util::stream::pending::<std::io::Result<Vec<u8>>>());
    let request = request("/batches", "k").body(stalled).unwrap();
    assert!(world.answered(world.send(request)).await.is_none());
    let answer = post(&world, "k", "/batches", APP).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}
