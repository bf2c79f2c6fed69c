//! The store fails for a while.

use livius_domain::{BatchId, Exit};
use livius_testkit::{World, eventually};

use super::{APP, B0, B1, REPORT, detail, log_of, run, started, submit, total, world_of};

#[tokio::test]
async fn what_cannot_be_stored_is_refused_and_leaves_nothing() {
    let world = world_of(1, 1).await;
    world.disk().set_full(true);
    for _ in 0..20 {
        let refused = world
            .post("/batches", r#"{"file":"hdfs://h/a","name":"n"}"#)
            .await;
        assert_eq!(refused.status, 500);
        assert!(!refused.text.contains("disk"), "{}", refused.text);
    }
    world.disk().set_full(false);
    assert_eq!(total(&world).await, 0);
    assert_eq!(
        submit(&world, r#"{"file":"hdfs://h/a","name":"n"}"#).await,
        B0
    );
    assert_eq!(started(&world, 1).await, [0]);
}

#[tokio::test]
async fn an_end_that_cannot_be_stored_is_stored_later() {
    let world = World::new().await;
    let (_, process) = run(&world, APP).await;
    world.disk().set_full(true);
    process.exit(Exit::Code(3));
    world.await_batch(B0, "dead").await;
    assert_eq!(
        world.get("/batches").await.json()["sessions"][0]["state"],
        "dead"
    );
    world.disk().set_full(false);
    // Once the end is stored, the server does not know the agent any more.
    eventually("the end is stored", async || {
        let name = world.launcher().driver_of_batch(B0)?.0;
        (world.report_application(&name, REPORT).await.status == 404).then_some(())
    })
    .await;
    let world = world.crash_and_restart().await;
    world.await_batch(B0, "dead").await;
    assert_eq!(detail(&world, B0).await["end"]["exitCode"], 3);
}

#[tokio::test]
async fn an_end_that_was_never_stored_is_found_again() {
    let world = World::new().await;
    let (_, process) = run(&world, APP).await;
    world.disk().set_full(true);
    process.exit(Exit::Code(3));
    world.await_batch(B0, "dead").await;
    let world = world.crash_and_restart().await;
    world.await_batch(B0, "dead").await;
    assert_eq!(detail(&world, B0).await["end"]["exitCode"], 3);
    // The log explains the end once.
    let log = log_of(&world, B0).await;
    assert_eq!(
        log.matches("livius: the application ended with exit code 3")
            .count(),
        1,
        "{log}"
    );
}

#[tokio::test]
async fn a_turn_that_cannot_be_stored_starts_nothing_that_could_be_started_again() {
    let world = world_of(1, 1).await;
    let (_, first) = run(&world, APP).await;
    submit(&world, APP).await;
    submit(&world, APP).await;
    world.disk().set_full(true);
    first.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    world.quiesced().await;
    let before = started(&world, 1).await;
    let world = world.crash_and_restart().await;
    // When the store works again, everything continues, and each batch runs once.
    for id in 1..3 {
        world.batch_process(BatchId(id)).await.1.exit(Exit::Code(0));
        world.await_batch(BatchId(id), "success").await;
    }
    assert_eq!((before, started(&world, 3).await), (vec![0], vec![0, 1, 2]));
}

#[tokio::test]
async fn a_turn_is_taken_when_there_is_room_again() {
    let world = world_of(1, 1).await;
    let (_, first) = run(&world, APP).await;
    for _ in 0..3 {
        submit(&world, APP).await;
    }
    world.disk().set_full(true);
    first.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    world.quiesced().await;
    assert_eq!(detail(&world, B1).await["state"], "starting");
    world.disk().set_full(false);
    for id in 1..4 {
        let (order, process) = world.batch_process(BatchId(id)).await;
        std::fs::write(world.dir_of(&order).join("stdout.log"), "said\n").unwrap();
        let log = log_of(&world, BatchId(id)).await;
        assert_eq!(log, "stdout: \nsaid\n\nstderr: ");
        process.exit(Exit::Code(0));
    }
    assert_eq!(started(&world, 4).await, [0, 1, 2, 3]);
    world.await_batch(BatchId(3), "success").await;
}

#[tokio::test]
async fn a_batch_whose_turn_cannot_be_stored_may_be_deleted() {
    let world = world_of(1, 1).await;
    let (_, first) = run(&world, APP).await;
    submit(&world, APP).await;
    submit(&world, APP).await;
    world.disk().set_full(true);
    first.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    world.quiesced().await;
    world.disk().set_full(false);
    assert_eq!(world.delete("/batches/1").await.status, 200);
    world.batch_process(BatchId(2)).await;
    assert_eq!(world.get("/batches/1").await.status, 404);
}

#[tokio::test]
async fn a_delete_that_cannot_be_stored_is_no_success() {
    let world = World::new().await;
    let (_, process) = run(&world, APP).await;
    process.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    world.quiesced().await;
    world.disk().set_full(true);
    assert_eq!(world.delete("/batches/0").await.status, 500);
    assert_eq!(world.get("/batches/0").await.status, 200);
    world.disk().set_full(false);
    assert_eq!(world.delete("/batches/0").await.status, 200);
    assert_eq!(world.get("/batches/0").await.status, 404);
}

/// Below the reserve of free space the server starts nothing, and says why.
#[tokio::test]
async fn a_disk_that_is_nearly_full_takes_no_driver() {
    let world = world_of(1, 1).await;
    world.launcher().disk_is_full(true);
    let refusal = r#"{"msg":"The server's disk is nearly full, so it starts no driver: its data directory needs space (server.disk_reserve)"}"#;
    for (path, body) in [
        ("/batches", r#"{"file":"hdfs://h/a"}"#),
        ("/sessions", "{}"),
    ] {
        let refused = world.post(path, body).await;
        assert_eq!(refused.status, 507, "{path}");
        assert_eq!(refused.text, refusal, "{path}");
    }
    assert_eq!(total(&world).await, 0);
    world.launcher().disk_is_full(false);
    assert_eq!(submit(&world, r#"{"file":"hdfs://h/a"}"#).await, B0);
    assert_eq!(world.post("/sessions", "{}").await.status, 201);
}
