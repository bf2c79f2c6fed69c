//! The queue keeps its order and its limits, and can be full.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use livius_domain::{BatchId, Exit, Limits};
use livius_testkit::{World, eventually, pass};
use serde_json::json;

use super::{APP, B0, REPORT, run, started, submit, total, world_of};

#[tokio::test]
async fn many_at_once_come_to_their_turns_in_order() {
    let world = world_of(2, 3).await;
    let created = join_all((0..20).map(|_| world.post("/batches", APP))).await;
    assert!(created.iter().all(|answer| answer.status == 201));
    let reported = |world: &World, id: i32| {
        let driver = world.launcher().driver_of_batch(BatchId(id));
        driver.expect("it is started")
    };
    // Two batches start. The next one waits until one of them reports that it runs.
    assert_eq!(started(&world, 2).await, [0, 1]);
    world.quiesced().await;
    assert_eq!(started(&world, 2).await, [0, 1]);
    for id in [0, 1] {
        let (order, _) = reported(&world, id);
        assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    }
    // Three batches run. The next one waits until one of them has ended.
    for id in 0..20 {
        let alive = (id + 3).min(20);
        let expected: Vec<i32> = (0..alive).collect();
        let count = usize::try_from(alive).unwrap();
        assert_eq!(started(&world, count).await, expected);
        let (order, _) = reported(&world, alive - 1);
        assert_eq!(world.report_application(&order, REPORT).await.status, 204);
        world.quiesced().await;
        assert_eq!(started(&world, count).await, expected);
        reported(&world, id).1.exit(Exit::Code(0));
        world.await_batch(BatchId(id), "success").await;
    }
    assert_eq!(world.launcher().most_running(), 3);
    assert_eq!((total(&world).await, world.launcher().running()), (20, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_order_and_the_limits_hold_on_many_threads() {
    let world = world_of(1, 2).await;
    let (_, first) = run(&world, APP).await;
    let (_, second) = run(&world, APP).await;
    let created = join_all((2..60).map(|_| world.post("/batches", APP))).await;
    assert!(created.iter().all(|answer| answer.status == 201));
    first.exit(Exit::Code(0));
    second.exit(Exit::Code(0));
    for id in 2..60 {
        let (order, process) = world.batch_process(BatchId(id)).await;
        if id % 3 == 0 {
            assert_eq!(world.report_application(&order, REPORT).await.status, 204);
        }
        process.exit(Exit::Code(0));
    }
    assert_eq!(started(&world, 60).await, (0..60).collect::<Vec<_>>());
    assert!(world.launcher().most_running() <= 2);
    for id in 0..60 {
        world.await_batch(BatchId(id), "success").await;
    }
}

#[tokio::test]
async fn one_more_than_may_wait_is_refused_and_leaves_nothing() {
    let world = World::limited(Limits {
        running_batches: 1,
        waiting_batches: 5,
        ..Limits::default()
    })
    .await;
    let (_, first) = run(&world, APP).await;
    for _ in 0..5 {
        submit(&world, APP).await;
    }
    for _ in 0..3 {
        let refused = world
            .post("/batches", r#"{"file":"hdfs://h/a","name":"n"}"#)
            .await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(
            refused.text,
            r#"{"msg":"5 batches are waiting for their turn already; try again when some have run"}"#
        );
    }
    assert_eq!(total(&world).await, 6);
    // A request that is refused takes no place.
    assert_eq!(
        world
            .post("/batches", r#"{"file":"relative"}"#)
            .await
            .status,
        400
    );
    first.exit(Exit::Code(0));
    started(&world, 2).await;
    eventually("there is a place again", async || {
        (world
            .post("/batches", r#"{"file":"hdfs://h/a","name":"n"}"#)
            .await
            .status
            == 201)
            .then_some(())
    })
    .await;
    assert_eq!(world.post("/batches", APP).await.status, 429);
    assert_eq!(total(&world).await, 7);
}

#[tokio::test]
async fn longer_requests_than_memory_may_have_are_refused() {
    let world = World::limited(Limits {
        running_batches: 1,
        batch_requests_bytes: 50_000,
        ..Limits::default()
    })
    .await;
    let long = json!({"file": "hdfs://h/a", "args": ["x".repeat(20_000)]}).to_string();
    let (_, first) = run(&world, &long).await;
    submit(&world, &long).await;
    for _ in 0..3 {
        let refused = world.post("/batches", &long).await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(
            refused.text,
            r#"{"msg":"the requests of the batches that have not ended would exceed 50000 bytes (batches.requests_limit); try again when some have ended"}"#
        );
    }
    assert_eq!(total(&world).await, 2);
    // The next server has the same batches in memory.
    let world = world.crash_and_restart().await;
    submit(&world, APP).await;
    assert_eq!(world.post("/batches", &long).await.status, 429);
    first.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    eventually("there is memory again", async || {
        (world.post("/batches", &long).await.status == 201).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_refused_name_takes_no_place() {
    let world = World::limited(Limits {
        running_batches: 1,
        waiting_batches: 2,
        ..Limits::default()
    })
    .await;
    let named = r#"{"file":"hdfs://h/a","name":"n"}"#;
    let (_, _) = run(&world, named).await;
    for _ in 0..5 {
        assert_eq!(world.post("/batches", named).await.status, 400);
    }
    submit(&world, APP).await;
    submit(&world, APP).await;
    assert_eq!(world.post("/batches", APP).await.status, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_are_all_answered() {
    let world = world_of(4, 4).await;
    let answers = join_all((0..1_000).map(|_| world.post("/batches", APP))).await;
    let ids: BTreeSet<i64> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 201, "{}", answer.text);
            answer.json()["id"].as_i64().unwrap()
        })
        .collect();
    assert_eq!(ids, (0..1_000).collect());
    assert_eq!(total(&world).await, 1_000);
    started(&world, 4).await;
    assert_eq!(world.launcher().most_running(), 4);
    let deleted = join_all((4..1_000).map(|id| {
        let world = &world;
        async move { world.delete(&format!("/batches/{id}")).await.status }
    }))
    .await;
    assert!(deleted.iter().all(|status| *status == 200));
    assert_eq!(total(&world).await, 4);
    world.await_batch(B0, "starting").await;
}

#[tokio::test]
async fn an_application_that_is_never_heard_of_keeps_others_waiting_for_some_time_only() {
    let world = world_of(1, 2).await;
    for _ in 0..3 {
        submit(&world, APP).await;
    }
    started(&world, 1).await;
    world.quiesced().await;
    pass(Duration::from_secs(29)).await;
    world.quiesced().await;
    assert_eq!(started(&world, 1).await, [0]);
    pass(Duration::from_secs(2)).await;
    assert_eq!(started(&world, 2).await, [0, 1]);
    // It still has its place among the running batches.
    pass(Duration::from_mins(1)).await;
    world.quiesced().await;
    assert_eq!(started(&world, 2).await, [0, 1]);
    world.await_batch(B0, "starting").await;
}
