//! The server dies while it works on a request with a key.

use livius_domain::BatchId;
use livius_testkit::{ScriptedAgent, World};

use super::*;

/// The writes of requests, in their order. The server dies before each. The first one stores the key.
const STEPS: [(usize, &[&str]); 4] = [
    (
        0,
        &[
            "create_session",
            "create_driver",
            "update_session",
            "keep_answer",
        ],
    ),
    (
        1,
        &[
            "create_batch",
            "create_driver",
            "update_batch",
            "keep_answer",
        ],
    ),
    (2, &["create_statement", "keep_answer"]),
    (3, &["create_job", "keep_answer"]),
];

#[tokio::test]
async fn whenever_the_server_dies_the_request_is_done_once() {
    for (index, steps) in STEPS {
        let (path, body) = MAKING[index];
        for (number, step) in steps.iter().enumerate() {
            let world = World::new().await;
            if index > 1 {
                world.post("/sessions", r#"{"kind":"shared"}"#).await;
                world.quiesced().await;
            }
            world.disk().hold(step);
            let answer = world.answered(post(&world, "k", path, body)).await;
            assert!(answer.is_none(), "{step}: {answer:?}");
            let world = world.crash_and_restart().await;
            let again = post(&world, "k", path, body).await;
            assert_eq!(again.status, 201, "{path} {step}: {}", again.text);
            assert_eq!(is_replayed(&again), number > 0, "{path} {step}");
            assert_same(&again, &post(&world, "k", path, body).await);
            let expected = match index {
                0 => ([1, 0, 0], 0),
                1 => ([0, 1, 0], 0),
                2 => ([1, 0, 1], 0),
                _ => ([1, 0, 0], 1),
            };
            let made = (counts(&world).await, jobs(&world).await);
            assert_eq!(made, expected, "{path} {step}");
        }
    }
}

/// Checks that both answers are about the same thing.
fn assert_same(one: &Answer, other: &Answer) {
    assert!(is_replayed(other));
    assert_eq!(other.status, one.status);
    for header in ["location", "content-type"] {
        assert_eq!(other.headers[header], one.headers[header]);
    }
    assert_eq!(other.json()["id"], one.json()["id"]);
}

#[tokio::test]
async fn what_a_dead_server_had_stored_starts_under_the_next_one() {
    let world = World::new().await;
    for (held, (path, body)) in [("update_session", MAKING[0]), ("update_batch", MAKING[1])] {
        world.disk().hold(held);
        let answer = world.answered(post(&world, path, path, body)).await;
        assert!(answer.is_none());
    }
    let world = world.crash_and_restart().await;
    let (path, body) = MAKING[0];
    let answer = post(&world, path, path, body).await;
    assert_eq!(answer.json()["state"], "starting");
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
    world.batch_process(BatchId(0)).await;
    let (path, body) = MAKING[1];
    assert_eq!(post(&world, path, path, body).await.json()["id"], 0);
}

#[tokio::test]
async fn a_repetition_waits_as_the_request_would_have() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"spark"}"#).await;
    let (path, body) = ("/sessions/0/statements", r#"{"code":"1"}"#);
    world.disk().fail_next("keep_answer");
    post(&world, "k", path, body).await;
    let (statement, _) = agent.expect_run().await;
    let waiting = post(&world, "k", "/sessions/0/statements?wait=30s", body);
    let ending = async {
        world.quiesced().await;
        agent.finished(statement, "2").await;
    };
    let (answer, ()) = tokio::join!(waiting, ending);
    assert!(is_replayed(&answer));
    assert_eq!(answer.json()["state"], "available", "{}", answer.text);
}
