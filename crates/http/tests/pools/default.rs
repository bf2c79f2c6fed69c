//! The pool that is there without configuration.

use livius_domain::pool::Level;
use livius_domain::{FailureCode, SessionId};
use livius_testkit::{Program, Start};

use super::*;

#[tokio::test]
async fn the_second_session_gets_a_primed_driver() {
    let world = world_of(Vec::new()).await;
    await_pool(&world, "it waits for a use", |pool| {
        pool["waitsFor"] == "a first session"
    })
    .await;
    world.post("/sessions", ANY).await;
    let start = start_of(&world, S0).await;
    assert_eq!(start["misses"][0]["pool"], "default");
    await_pool(&world, "it waits for quiet", |pool| {
        pool["waitsFor"] == "the sessions to be quiet"
    })
    .await;
    assert!(
        world.launcher().of_pools().is_empty(),
        "a user's driver starts"
    );
    ScriptedAgent::connect(&world, S0).await.ready().await;
    world.await_state(S0, "idle").await;

    let mut agent = waiting(&world, Level::Primed, &[]).await;
    let (order, _) = &world.launcher().of_pools()[0];
    let Program::Agent { kind, start, .. } = order.program else {
        panic!("{:?}", order.program)
    };
    assert_eq!((kind, start), (Kind::PySpark, Start::Primed));
    // It serves any kind.
    world.post("/sessions", r#"{"kind":"sql"}"#).await;
    let Command::Begin { document, .. } = agent.command().await else {
        panic!("no begin")
    };
    assert_eq!(document["kind"], "sql");
    agent.ready().await;
    world.await_state(SessionId(1), "idle").await;
    assert_eq!(start_of(&world, SessionId(1)).await["outcome"], "hit");
}

#[tokio::test]
async fn it_needs_memory() {
    let world = world_of(Vec::new()).await;
    world.launcher().has_free_memory(GIB);
    world.idle_session(ANY).await;
    await_pool(&world, "it waits for memory", |pool| {
        pool["waitsFor"] == "memory"
    })
    .await;
    assert!(world.launcher().of_pools().is_empty());
    world.launcher().has_free_memory(2 * GIB);
    launched(&world, &[]).await;
}

#[tokio::test]
async fn a_start_that_can_never_succeed_is_not_tried_again() {
    let world = world_of(Vec::new()).await;
    world.idle_session(ANY).await;
    let message = "could not keep a primed driver in a pod";
    world
        .launcher()
        .refuse_with(FailureCode::Unsupported, message);
    let pool = await_pool(&world, "it gives up", |pool| {
        let waits_for = pool["waitsFor"].as_str();
        waits_for.is_some_and(|text| text.starts_with("another configuration of Spark"))
    })
    .await;
    assert_eq!(pool["lastFailure"]["message"], message);
    assert_eq!(pool["lastFailure"]["nextTry"], serde_json::Value::Null);
    world.clock().advance(Duration::from_mins(30));
    world.launcher().allow();
    world.post("/sessions", ANY).await;
    let miss = &start_of(&world, SessionId(1)).await["misses"][0];
    assert_eq!(miss["reason"], "refused");
    assert!(
        miss["message"].as_str().unwrap().contains(message),
        "{miss}"
    );
    the_keeper_passes(20).await;
    assert!(world.launcher().of_pools().is_empty());

    world.launcher().change_installation("client mode");
    the_keeper_passes(20).await;
    await_pool(&world, "it tries again", |pool| {
        pool["lastFailure"].is_null()
    })
    .await;
}
