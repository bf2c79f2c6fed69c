//! The end of the server in good order.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use livius_domain::Exit;
use livius_sessions::ShutdownPolicy;
use livius_testkit::{ScriptedAgent, World, eventually};

use super::{
    ANY, S0, S1, S2, await_ended, await_launched, create, driver_end, launched, log_of, ready,
    total, world_of,
};

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn sessions_that_are_kept_are_taken_up_by_the_next_server() {
    let world = world_of(1).await;
    let mut agent = world.idle_session(ANY).await;
    create(&world, ANY).await;
    await_launched(&world, 2, &[0, 1]).await;
    create(&world, ANY).await;
    assert!(world.sessions().shutdown(ShutdownPolicy::Keep, LONG).await);
    let refused = world.post("/sessions", ANY).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.text, r#"{"msg":"the server is shutting down"}"#);
    world.quiesced().await;
    assert_eq!(
        (launched(&world, 3), world.launcher().running()),
        (vec![0, 1], 2)
    );

    let world = world.crash_and_restart().await;
    agent.reconnect(&world).await;
    world.await_state(S0, "idle").await;
    let mut second = ScriptedAgent::connect(&world, S1).await;
    second.ready().await;
    world.await_state(S1, "idle").await;
    ready(&world, S2).await;
}

#[tokio::test]
async fn sessions_that_are_stopped_say_so_and_are_not_started_again() {
    let world = world_of(1).await;
    let _agent = world.idle_session(ANY).await;
    create(&world, ANY).await;
    await_launched(&world, 2, &[0, 1]).await;
    create(&world, ANY).await;
    let (_, process) = world.driver(S0).await;
    let stopping = async {
        // The agent of the first session stops when it is asked. The second one has no agent yet.
        world.quiesced().await;
        process.exit(Exit::Code(0));
    };
    let shutdown = world.sessions().shutdown(ShutdownPolicy::Stop, LONG);
    let (ended, ()) = tokio::join!(shutdown, stopping);
    assert!(ended);
    assert_eq!(driver_end(&world, S1).await, Exit::Signal(9));
    let check = async |world: &World| {
        for id in [S0, S1, S2] {
            await_ended(world, id).await;
            let log = log_of(world, id).await;
            let reason = "livius: the session was stopped (the server was shut down)";
            assert_eq!(log.matches(reason).count(), 1, "{log}");
        }
        assert_eq!(
            (launched(world, 3), world.launcher().running()),
            (vec![0, 1], 0)
        );
    };
    check(&world).await;
    let world = world.crash_and_restart().await;
    world.quiesced().await;
    check(&world).await;
}

#[tokio::test]
async fn what_does_not_end_in_time_is_made_to() {
    let world = World::new().await;
    let _agent = world.idle_session(ANY).await;
    let soon = Duration::from_millis(1);
    assert!(world.sessions().shutdown(ShutdownPolicy::Stop, soon).await);
    assert_eq!(driver_end(&world, S0).await, Exit::Signal(9));
    await_ended(&world, S0).await;
}

#[tokio::test]
async fn a_shutdown_waits_for_deleted_sessions_although_it_keeps_the_others() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    for _ in [S0, S1] {
        create(&world, ANY).await;
    }
    await_launched(&world, 2, &[0, 1]).await;
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    let (_, process) = world.driver(S0).await;
    let ending = async {
        world.quiesced().await;
        process.exit(Exit::Signal(9));
        Instant::now()
    };
    let shutdown = async {
        let ended = world.sessions().shutdown(ShutdownPolicy::Keep, LONG).await;
        (ended, Instant::now())
    };
    let ((ended, end), exit) = tokio::join!(shutdown, ending);
    assert!(ended && end > exit);
    assert_eq!(world.launcher().running(), 1);
}

#[tokio::test]
async fn an_end_by_force_leaves_no_driver() {
    let world = world_of(1).await;
    let _agent = world.idle_session(ANY).await;
    create(&world, ANY).await;
    await_launched(&world, 2, &[0, 1]).await;
    create(&world, ANY).await;
    assert!(world.sessions().end_by_force(LONG).await);
    assert_eq!(
        (launched(&world, 3), world.launcher().running()),
        (vec![0, 1], 0)
    );
}

#[tokio::test]
async fn a_launch_that_is_under_way_at_the_shutdown_is_followed_by_an_end() {
    let world = World::new().await;
    world.launcher().hold(true);
    create(&world, ANY).await;
    world.quiesced().await;
    let going_on = async {
        world.quiesced().await;
        world.launcher().hold(false);
    };
    let shutdown = world.sessions().shutdown(ShutdownPolicy::Stop, LONG);
    let (ended, ()) = tokio::join!(shutdown, going_on);
    assert!(ended);
    await_ended(&world, S0).await;
    assert_eq!(world.launcher().running(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_started_behind_a_shutdowns_back() {
    for round in 0..20 {
        let world = world_of(2).await;
        let creating = join_all((0..6).map(|_| world.post("/sessions", ANY)));
        let shutdown = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            if round % 2 == 0 {
                world.sessions().shutdown(ShutdownPolicy::Stop, LONG).await
            } else {
                world.sessions().end_by_force(LONG).await
            }
        };
        let (created, ended) = tokio::join!(creating, shutdown);
        assert!(ended);
        assert!(
            created
                .iter()
                .all(|answer| [201, 503].contains(&answer.status.as_u16()))
        );
        eventually("nothing runs", async || {
            (world.launcher().running() == 0).then_some(())
        })
        .await;
        // Without its tasks the server can start nothing more, so the number is final.
        world.sessions().abandon().await;
        assert_eq!(world.launcher().running(), 0, "round {round}");
    }
}

/// During a shutdown that keeps the sessions HTTP goes on, until batches have ended too.
#[tokio::test]
async fn what_can_no_longer_be_done_is_refused_and_not_acknowledged() {
    let world = World::new().await;
    let mut agent = world.idle_session(ANY).await;
    assert!(world.sessions().shutdown(ShutdownPolicy::Keep, LONG).await);
    let completion = r#"{"code":"a","kind":"pyspark","cursor":1}"#;
    let refusals = [
        world.delete("/sessions/0").await,
        world.post("/sessions/0/stop", "").await,
        world.post("/sessions/0/interrupt", "").await,
        world.run("1").await,
        world.post("/sessions/0/completion", completion).await,
    ];
    for refused in refusals {
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert_eq!(refused.text, r#"{"msg":"the server is shutting down"}"#);
    }
    assert_eq!(
        agent.refused(&world).await,
        livius_sessions::AttachRefused::Unavailable
    );

    let world = world.crash_and_restart().await;
    agent.reconnect(&world).await;
    world.await_state(S0, "idle").await;
    assert_eq!((total(&world).await, world.launcher().running()), (1, 1));
}
