//! The keeper: ages, changes of the installation, failures.

use livius_domain::Exit;
use livius_domain::pool::Level;

use super::*;

/// Lets a driver that was asked to stop end, and checks that it was asked.
async fn is_ended(world: &World, mut agent: ScriptedAgent) {
    let id = agent.driver().clone();
    assert_eq!(agent.command().await, Command::Stop);
    let (_, process) = world
        .launcher()
        .of_pools()
        .into_iter()
        .find(|(order, _)| order.id == id)
        .unwrap();
    process.exit(Exit::Code(0));
    eventually("nothing is left of it", async || {
        (!world.dir_of_id(&id).exists()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_old_driver_is_replaced() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let old = waiting(&world, Level::Ready, &[]).await;
    world.clock().advance(Duration::from_mins(61));
    is_ended(&world, old).await;
    let mut young = waiting(&world, Level::Ready, &[]).await;
    let (created, _) = post_to(&world, &mut young, ANY).await;
    assert_eq!(created["state"], "idle");
}

#[tokio::test]
async fn drivers_of_another_configuration_of_spark_are_replaced() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let old = waiting(&world, Level::Ready, &[]).await;
    world.launcher().change_installation("new defaults");
    // A request that comes before the keeper looks gets no driver with the old ones.
    world.post("/sessions", ANY).await;
    assert_eq!(start_of(&world, S0).await["outcome"], "miss");
    is_ended(&world, old).await;
    let mut new = waiting(&world, Level::Ready, &[]).await;
    let (created, _) = post_to(&world, &mut new, ANY).await;
    assert_eq!(created["state"], "idle");
}

/// A look reads hundreds of files, so the keeper and the requests look only for drivers.
#[tokio::test]
async fn without_drivers_nothing_looks_at_the_installation() {
    let on_demand = Template {
        min: 0,
        max: 0,
        ..template("small", Level::Ready)
    };
    let off = WorldOptions {
        pools: None,
        ..options(Vec::new())
    };
    for options in [off, options(vec![on_demand]), options(Vec::new())] {
        let world = World::with(options).await;
        let created = world.post("/sessions", ANY).await;
        assert_eq!(created.status, 201, "{}", created.text);
        the_keeper_passes(5).await;
        assert_eq!(world.launcher().looks_at_installation(), 0);
    }
}

#[tokio::test]
async fn a_driver_is_a_reason_to_look_but_not_in_each_second() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let mut agent = waiting(&world, Level::Ready, &[]).await;
    let looks = world.launcher().looks_at_installation();
    assert!((1..=2).contains(&looks), "a start needs one: {looks}");
    the_keeper_passes(5).await;
    assert_eq!(world.launcher().looks_at_installation(), looks);
    // A session must not get a driver with old defaults.
    post_to(&world, &mut agent, ANY).await;
    assert!(world.launcher().looks_at_installation() > looks);
}

#[tokio::test]
async fn starts_that_fail_pause_longer_and_longer_and_say_why() {
    let world = world_with_refusals().await;
    let failed = |count: u64| move |pool: &Value| pool["lastFailure"]["inARow"] == count;
    for count in 1..=3 {
        let pool = await_pool(&world, "the start failed", failed(count)).await;
        let failure = &pool["lastFailure"];
        assert_eq!(failure["message"], "no Java");
        let at = |key: &str| {
            failure[key]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
        };
        let pause = at("nextTry").duration_since(at("at"));
        assert_eq!(pause.as_secs(), 10 << (count - 1));
        world
            .clock()
            .advance(Duration::from_secs(10 << (count - 1)));
    }
    await_pool(&world, "the start failed", failed(4)).await;
    world.launcher().allow();
    await_pool(&world, "it waits", |pool| {
        pool["waitsFor"] == "the next try after a failure"
    })
    .await;
    world.clock().advance(Duration::from_mins(2));
    let _agent = waiting(&world, Level::Ready, &[]).await;
    await_pool(&world, "the failure is over", |pool| {
        pool["lastFailure"].is_null()
    })
    .await;
}

/// A world whose pool wants a driver, and cannot start it.
async fn world_with_refusals() -> World {
    let on_demand = Template {
        min: 0,
        ..template("small", Level::Ready)
    };
    let world = world_of(vec![on_demand]).await;
    world.launcher().refuse("no Java");
    world.post("/sessions", ANY).await;
    world
}

#[tokio::test]
async fn a_driver_that_does_not_come_up_is_given_up() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let (_, process) = launched(&world, &[]).await;
    world.clock().advance(Duration::from_hours(1));
    assert_eq!(process.exited().await, Exit::Signal(9));
    let pool = await_pool(&world, "it is told", |pool| !pool["lastFailure"].is_null()).await;
    assert!(
        pool["lastFailure"]["message"]
            .to_string()
            .contains("was not up"),
        "{pool}"
    );
}
