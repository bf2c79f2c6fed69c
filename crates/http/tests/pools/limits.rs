//! Drivers of pools count against limits, and come after those of users.

use livius_domain::Limits;
use livius_domain::pool::Level;

use super::*;

#[tokio::test]
async fn a_pool_starts_behind_users_and_gives_its_turn_up() {
    let limits = Limits {
        concurrent_starts: 1,
        ..Limits::default()
    };
    let world = World::with(WorldOptions {
        limits,
        ..options(vec![template("small", Level::Ready)])
    })
    .await;
    let (order, process) = launched(&world, &[]).await;
    // The pool's driver has the only place among the starting ones.
    world.post("/sessions", r#"{"kind":"spark"}"#).await;
    process.exited().await;
    let (users, _) = world.driver(S0).await;
    assert_ne!(users.id, order.id);
    world.quiesced().await;
    assert_eq!(
        world.launcher().running(),
        1,
        "the pool waits for the user's driver"
    );
    ScriptedAgent::connect(&world, S0).await.ready().await;
    launched(&world, &[]).await;
}

#[tokio::test]
async fn a_user_gets_the_place_of_a_pool() {
    let limits = Limits {
        live_sessions: 2,
        ..Limits::default()
    };
    let world = World::with(WorldOptions {
        limits,
        ..options(vec![template("small", Level::Ready)])
    })
    .await;
    let mut agent = waiting(&world, Level::Ready, &[]).await;
    for id in 0..2 {
        let created = world.post("/sessions", r#"{"kind":"spark"}"#).await;
        assert_eq!(created.status, 201, "{id}: {}", created.text);
    }
    assert_eq!(agent.command().await, Command::Stop);
    let refused = world.post("/sessions", r#"{"kind":"spark"}"#).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    await_pool(&world, "it waits", |pool| {
        pool["waitsFor"] == "a place among the sessions"
    })
    .await;
}

#[tokio::test]
async fn a_hit_takes_the_place_that_its_driver_has() {
    let limits = Limits {
        live_sessions: 1,
        ..Limits::default()
    };
    let world = World::with(WorldOptions {
        limits,
        ..options(vec![template("small", Level::Ready)])
    })
    .await;
    let mut agent = waiting(&world, Level::Ready, &[]).await;
    let (created, _) = post_to(&world, &mut agent, ANY).await;
    assert_eq!(created["state"], "idle");
    assert_eq!(world.post("/sessions", ANY).await.status, 400);
}

#[tokio::test]
async fn pools_stay_within_their_memory() {
    let many = Template {
        min: 5,
        max: 5,
        ..template("small", Level::Ready)
    };
    let mut options = options(vec![many]);
    options.pools.as_mut().unwrap().memory = Some(2 * GIB);
    let world = World::with(options).await;
    await_pool(&world, "two fit", |pool| {
        pool["drivers"].as_array().unwrap().len() == 2 && pool["waitsFor"] == "memory"
    })
    .await;
}

#[tokio::test]
async fn without_a_budget_a_quarter_of_the_free_memory_is_taken() {
    let many = Template {
        min: 0,
        max: 5,
        ..template("small", Level::Primed)
    };
    let world = world_of(vec![many]).await;
    // Two of 500 MiB fit into a quarter of 4 GiB and of what they have themselves, three do not.
    world.launcher().has_free_memory(4 * GIB);
    for _ in 0..5 {
        world.post("/sessions", ANY).await;
    }
    await_pool(&world, "two fit", |pool| {
        pool["wanted"] == 5
            && pool["drivers"].as_array().unwrap().len() == 2
            && pool["waitsFor"] == "memory"
    })
    .await;
}
