//! A store that fails for a while.

use livius_domain::{Exit, SessionId};
use livius_testkit::World;

use super::{ANY, S0, await_launched, create, launched, log_of, total, world_of};

#[tokio::test]
async fn what_cannot_be_stored_is_refused_and_leaves_nothing() {
    let world = World::new().await;
    let named = r#"{"kind":"pyspark","name":"n"}"#;
    world.disk().set_full(true);
    for _ in 0..20 {
        let refused = world.post("/sessions", named).await;
        assert_eq!(refused.status, 500);
        assert!(!refused.text.contains("disk"), "{}", refused.text);
    }
    world.disk().set_full(false);
    assert_eq!(total(&world).await, 0);
    assert_eq!(create(&world, named).await, S0);
    world.driver(S0).await;
}

#[tokio::test]
async fn an_end_that_was_never_stored_is_found_again_and_explained_once() {
    let world = World::new().await;
    let _agent = world.idle_session(ANY).await;
    world.disk().set_full(true);
    world.driver(S0).await.1.exit(Exit::Code(3));
    world.await_state(S0, "dead").await;
    let world = world.crash_and_restart().await;
    world.await_state(S0, "dead").await;
    let log = log_of(&world, S0).await;
    let reason = "livius: the driver ended by itself with exit code 3";
    assert_eq!(log.matches(reason).count(), 1, "{log}");
}

#[tokio::test]
async fn a_delete_that_cannot_be_stored_is_no_success() {
    let world = World::new().await;
    create(&world, ANY).await;
    world.driver(S0).await.1.exit(Exit::Code(0));
    world.await_state(S0, "dead").await;
    world.quiesced().await;
    world.disk().set_full(true);
    assert_eq!(world.delete("/sessions/0").await.status, 500);
    assert_eq!(world.get("/sessions/0").await.status, 200);
    world.disk().set_full(false);
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    assert_eq!(world.get("/sessions/0").await.status, 404);
}

#[tokio::test]
async fn a_start_that_cannot_be_stored_launches_nothing_that_could_be_launched_again() {
    let world = world_of(1).await;
    for _ in 0..3 {
        create(&world, ANY).await;
    }
    await_launched(&world, 3, &[0]).await;
    world.disk().set_full(true);
    world.driver(S0).await.1.exit(Exit::Code(1));
    world.await_state(S0, "dead").await;
    world.quiesced().await;
    assert_eq!(launched(&world, 3), [0]);
    let world = world.crash_and_restart().await;
    // When the disk has room again, everything continues, and each session starts once.
    for id in 1..3 {
        world.driver(SessionId(id)).await.1.exit(Exit::Code(1));
        world.await_state(SessionId(id), "dead").await;
    }
}

#[tokio::test]
async fn a_start_goes_on_when_there_is_room_again() {
    let world = world_of(1).await;
    create(&world, ANY).await;
    create(&world, ANY).await;
    await_launched(&world, 2, &[0]).await;
    world.disk().set_full(true);
    world.driver(S0).await.1.exit(Exit::Code(1));
    world.await_state(S0, "dead").await;
    world.quiesced().await;
    assert_eq!(launched(&world, 2), [0]);
    world.disk().set_full(false);
    await_launched(&world, 2, &[0, 1]).await;
}
