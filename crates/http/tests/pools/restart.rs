//! Pools and the end of the server.

use livius_domain::Exit;
use livius_domain::pool::Level;
use livius_sessions::ShutdownPolicy;

use super::*;

#[tokio::test]
async fn drivers_survive_a_crash_of_the_server() {
    for level in [Level::Ready, Level::Primed] {
        let world = world_of(vec![template("small", level)]).await;
        let mut agent = waiting(&world, level, &[]).await;
        let world = world.crash_and_restart().await;
        await_pool(&world, "it is away", |pool| {
            pool["drivers"][0]["state"] == "away"
        })
        .await;
        agent.reconnect(&world).await;
        await_pool(&world, "it waits", |pool| {
            pool["drivers"][0]["state"] == "waiting"
        })
        .await;
        assert_eq!(
            world.launcher().of_pools().len(),
            1,
            "none was started besides"
        );
        if level == Level::Ready {
            let (created, _) = post_to(&world, &mut agent, ANY).await;
            assert_eq!(created["state"], "idle");
        } else {
            world.post("/sessions", ANY).await;
            assert!(matches!(agent.command().await, Command::Begin { .. }));
            agent.ready().await;
            world.await_state(S0, "idle").await;
        }
    }
}

#[tokio::test]
async fn a_session_keeps_the_driver_that_it_took_across_a_crash() {
    let world = world_of(vec![template("small", Level::Primed)]).await;
    let mut agent = waiting(&world, Level::Primed, &[]).await;
    world.post("/sessions", ANY).await;
    let begin = agent.command().await;
    let world = world.crash_and_restart().await;
    agent.reconnect(&world).await;
    assert_eq!(agent.command().await, begin, "it may not have heard");
    agent.ready().await;
    world.await_state(S0, "idle").await;
    assert_eq!(start_of(&world, S0).await["outcome"], "hit");
}

#[tokio::test]
async fn drivers_that_no_pool_wants_any_more_are_ended() {
    let changed: [fn(&mut WorldOptions); 3] = [
        |options| options.pools = None,
        |options| options.pools.as_mut().unwrap().templates[0].name = "other".to_owned(),
        |options| {
            let template = &mut options.pools.as_mut().unwrap().templates[0];
            template.request.submit.driver_memory = Some("2g".to_owned());
        },
    ];
    for change in changed {
        let world = world_of(vec![template("small", Level::Ready)]).await;
        let mut agent = waiting(&world, Level::Ready, &[]).await;
        let (order, process) = world.launcher().of_pools().remove(0);
        let world = world.crash_and_restart_with(change).await;
        agent.reconnect(&world).await;
        assert_eq!(agent.command().await, Command::Stop);
        process.exit(Exit::Code(0));
        eventually("nothing is left of it", async || {
            (!world.dir_of_id(&order.id).exists()).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_shutdown_ends_them_or_keeps_them() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let mut agent = waiting(&world, Level::Ready, &[]).await;
    let (_, process) = world.launcher().of_pools().remove(0);
    let long = Duration::from_secs(10);
    let (ended, ()) = tokio::join!(
        world.sessions().shutdown(ShutdownPolicy::Stop, long),
        async {
            assert_eq!(agent.command().await, Command::Stop);
            process.exit(Exit::Code(0));
        }
    );
    assert!(ended);
    assert_eq!(world.launcher().running(), 0);

    let world = world_of(vec![template("small", Level::Ready)]).await;
    let mut agent = waiting(&world, Level::Ready, &[]).await;
    assert!(world.sessions().shutdown(ShutdownPolicy::Keep, long).await);
    let world = world.crash_and_restart().await;
    agent.reconnect(&world).await;
    await_pool(&world, "it waits", |pool| {
        pool["drivers"][0]["state"] == "waiting"
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_by_force_leaves_no_driver() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let _agent = waiting(&world, Level::Ready, &[]).await;
    let (_, process) = launched_any(&world).await;
    assert!(world.sessions().end_by_force(Duration::from_secs(10)).await);
    assert_eq!(process.exited().await, Exit::Signal(9));
    assert_eq!(world.launcher().running(), 0);
}

async fn launched_any(world: &World) -> (DriverOrder, FakeProcess) {
    launched(world, &[]).await
}
