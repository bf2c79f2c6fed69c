//! The orderly shutdown of the server.

use std::time::{Duration, Instant};

use livius_domain::Exit;
use livius_sessions::ShutdownPolicy;
use livius_testkit::World;
use serde_json::json;

use super::{APP, B0, B1, B2, REPORT, detail, log_of, run, started, submit, total, world_of};

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn batches_that_are_kept_run_on_and_wait_on() {
    let world = world_of(1, 2).await;
    run(&world, APP).await;
    submit(&world, APP).await;
    submit(&world, APP).await;
    let (_, second) = world.batch_process(B1).await;
    world.quiesced().await;
    assert!(world.batches().shutdown(ShutdownPolicy::Keep, LONG).await);
    let refused = world.post("/batches", APP).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.headers["retry-after"]),
        (503, &"5".parse().unwrap())
    );
    assert_eq!(refused.text, r#"{"msg":"the server is shutting down"}"#);
    // Nothing new starts.
    second.exit(Exit::Code(0));
    world.quiesced().await;
    assert_eq!(
        (started(&world, 2).await, world.launcher().running()),
        (vec![0, 1], 1)
    );

    let world = world.crash_and_restart().await;
    assert_eq!(
        world.get("/batches/0/state").await.json()["state"],
        "running"
    );
    world.await_batch(B1, "success").await;
    let (order, _) = world.batch_process(B2).await;
    assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    assert_eq!(
        (started(&world, 3).await, total(&world).await),
        (vec![0, 1, 2], 3)
    );
}

#[tokio::test]
async fn batches_that_are_stopped_say_so_and_those_that_wait_are_left_to_the_next_server() {
    let world = world_of(1, 2).await;
    let (_, process) = run(&world, APP).await;
    submit(&world, APP).await;
    let (_, unheard) = world.batch_process(B1).await;
    submit(&world, APP).await;
    world.quiesced().await;
    assert!(world.batches().shutdown(ShutdownPolicy::Stop, LONG).await);
    assert_eq!(
        (process.exited().await, unheard.exited().await),
        (Exit::Signal(9), Exit::Signal(9))
    );
    let check = async |world: &World| {
        for id in [B0, B1] {
            world.await_batch(id, "killed").await;
            let end = detail(world, id).await["end"].clone();
            assert_eq!(
                (&end["cause"], &end["signal"]),
                (&json!("shutdown"), &json!(9))
            );
            let log = log_of(world, id).await;
            assert!(
                log.contains("livius: the batch was killed (the server was shut down)"),
                "{log}"
            );
        }
    };
    check(&world).await;
    assert_eq!(detail(&world, B2).await["step"], "queued");
    assert_eq!(started(&world, 2).await, [0, 1]);

    let world = world.crash_and_restart().await;
    check(&world).await;
    world.batch_process(B2).await;
    assert_eq!(started(&world, 3).await, [0, 1, 2]);
}

#[tokio::test]
async fn what_does_not_end_in_time_is_made_to() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    let (_, process) = run(&world, APP).await;
    let ending = async {
        livius_testkit::eventually("it is being ended", async || {
            detail(&world, B0).await["stoppingAt"]
                .is_string()
                .then_some(())
        })
        .await;
        process.exit(Exit::Signal(9));
    };
    let soon = Duration::from_millis(1);
    let (ended, ()) = tokio::join!(world.batches().shutdown(ShutdownPolicy::Stop, soon), ending);
    assert!(ended);
    assert_eq!(detail(&world, B0).await["end"]["cause"], "shutdown");
}

#[tokio::test]
async fn a_shutdown_waits_for_deleted_batches_although_it_keeps_the_others() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    let (_, process) = run(&world, APP).await;
    run(&world, APP).await;
    assert_eq!(world.delete("/batches/0").await.status, 200);
    let ending = async {
        world.quiesced().await;
        process.exit(Exit::Signal(9));
        Instant::now()
    };
    let shutdown = async {
        let ended = world.batches().shutdown(ShutdownPolicy::Keep, LONG).await;
        (ended, Instant::now())
    };
    let ((ended, end), exit) = tokio::join!(shutdown, ending);
    assert!(ended && end > exit);
    assert_eq!(world.launcher().running(), 1);
}

#[tokio::test]
async fn an_end_by_force_leaves_no_process() {
    let world = world_of(1, 2).await;
    run(&world, APP).await;
    submit(&world, APP).await;
    world.batch_process(B1).await;
    submit(&world, APP).await;
    world.quiesced().await;
    assert!(world.batches().end_by_force(LONG).await);
    assert_eq!(world.launcher().running(), 0);
    assert_eq!(detail(&world, B2).await["step"], "queued");
}

#[tokio::test]
async fn a_turn_that_is_being_taken_at_the_shutdown_is_followed_by_an_end() {
    for policy in [ShutdownPolicy::Stop, ShutdownPolicy::Keep] {
        let world = World::new().await;
        world.disk().hold("update_driver");
        submit(&world, APP).await;
        world.quiesced().await;
        let going_on = async {
            world.quiesced().await;
            world.disk().release("update_driver");
        };
        let (ended, ()) = tokio::join!(world.batches().shutdown(policy, LONG), going_on);
        assert!(ended);
        let kept = policy == ShutdownPolicy::Keep;
        assert_eq!(world.launcher().running(), usize::from(kept));
        let world = world.crash_and_restart().await;
        if kept {
            let (order, _) = world.batch_process(B0).await;
            assert_eq!(world.report_application(&order, REPORT).await.status, 204);
        } else {
            world.await_batch(B0, "killed").await;
        }
        assert_eq!(started(&world, 1).await, [0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_started_behind_a_shutdowns_back() {
    for round in 0..20 {
        let world = world_of(1, 1).await;
        let (_, first) = run(&world, APP).await;
        submit(&world, APP).await;
        // A batch leaves the queue at the moment of the shutdown.
        let ending = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            first.exit(Exit::Code(0));
        };
        let shutdown = async {
            if round % 2 == 0 {
                world.batches().shutdown(ShutdownPolicy::Stop, LONG).await
            } else {
                world.batches().end_by_force(LONG).await
            }
        };
        let (ended, ()) = tokio::join!(shutdown, ending);
        assert!(ended);
        // Without its tasks the server can start nothing more, so the number is final.
        world.batches().abandon().await;
        assert_eq!(world.launcher().running(), 0, "round {round}");
    }
}

/// During a shutdown that keeps the batches HTTP goes on, until sessions have ended too.
#[tokio::test]
async fn what_can_no_longer_be_done_is_refused_and_not_acknowledged() {
    let world = World::new().await;
    let (running, _) = run(&world, APP).await;
    submit(&world, APP).await;
    let (starting, _) = world.batch_process(B1).await;
    world.quiesced().await;
    assert!(world.batches().shutdown(ShutdownPolicy::Keep, LONG).await);
    let refusals = [
        world.post("/api/v1/batches/0/kill", "").await,
        world.delete("/batches/0").await,
        world.report_application(&starting, REPORT).await,
    ];
    for refused in refusals {
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert_eq!(refused.headers["retry-after"], "5");
    }
    let state = world.get("/batches/0/state").await;
    assert_eq!(state.json()["state"], "running");

    let world = world.crash_and_restart().await;
    world.await_batch(B0, "running").await;
    assert_eq!((total(&world).await, world.launcher().running()), (2, 2));
    for order in [&running, &starting] {
        assert_eq!(world.report_application(order, REPORT).await.status, 204);
    }
    world.await_batch(B1, "running").await;
}
