//! The start of sessions: in order, a few at a time, and no more sessions than may live.

use futures_util::future::join_all;
use livius_domain::{Exit, Limits, SessionId};
use livius_testkit::{World, eventually};

use super::{ANY, S0, await_launched, create, launched, ready, total, world_of};

#[tokio::test]
async fn many_at_once_come_to_their_starts_in_order() {
    let world = world_of(2).await;
    let created = join_all((0..8).map(|_| world.post("/sessions", ANY))).await;
    assert!(created.iter().all(|answer| answer.status == 201));
    await_launched(&world, 8, &[0, 1]).await;
    let mut agents = Vec::new();
    for id in 0..8 {
        world.quiesced().await;
        let expected: Vec<i32> = (0..(id + 2).min(8)).collect();
        assert_eq!(launched(&world, 8), expected);
        // A session that is ready gives its place among the starting ones to the next.
        agents.push(ready(&world, SessionId(id)).await);
    }
    assert_eq!(world.launcher().running(), 8);
}

#[tokio::test]
async fn a_start_that_fails_lets_the_next_one_start() {
    let world = world_of(1).await;
    for _ in 0..3 {
        create(&world, ANY).await;
    }
    for id in 0..3 {
        await_launched(&world, 3, &(0..=id).collect::<Vec<_>>()).await;
        world.driver(SessionId(id)).await.1.exit(Exit::Code(1));
        world.await_state(SessionId(id), "dead").await;
    }
}

#[tokio::test]
async fn one_more_than_may_live_is_refused_and_leaves_nothing() {
    let world = World::limited(Limits {
        live_sessions: 2,
        ..Limits::default()
    })
    .await;
    create(&world, ANY).await;
    create(&world, ANY).await;
    for _ in 0..3 {
        let refused = world.post("/sessions", r#"{"name":"n"}"#).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        let words = "Rejected, too many sessions are being created!";
        assert!(refused.text.contains(words), "{}", refused.text);
    }
    assert_eq!(total(&world).await, 2);
    world.driver(S0).await.1.exit(Exit::Code(0));
    eventually("there is a place again", async || {
        let answer = world.post("/sessions", r#"{"name":"n"}"#).await;
        (answer.status == 201).then_some(())
    })
    .await;
    assert_eq!(world.post("/sessions", ANY).await.status, 400);
}

#[tokio::test]
async fn a_refused_name_takes_no_place() {
    let world = World::limited(Limits {
        live_sessions: 2,
        ..Limits::default()
    })
    .await;
    let named = r#"{"kind":"pyspark","name":"n"}"#;
    create(&world, named).await;
    for _ in 0..5 {
        assert_eq!(world.post("/sessions", named).await.status, 400);
    }
    create(&world, ANY).await;
    assert_eq!(world.post("/sessions", ANY).await.status, 400);
}
