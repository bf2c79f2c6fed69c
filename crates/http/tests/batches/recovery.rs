//! The server dies, the applications do not. The restarted server knows the true state of each.

use std::time::Duration;

use livius_domain::{BatchId, Exit, Verdict};
use livius_sessions::ShutdownPolicy;
use livius_testkit::{World, eventually};
use serde_json::{Value, json};

use super::{APP, B0, B1, B2, REPORT, detail, log_of, run, started, submit, total, world_of};

#[tokio::test]
async fn a_batch_that_runs_is_running_after_a_restart_and_ends_as_it_ends() {
    let mut world = World::new().await;
    let (order, process) = run(&world, r#"{"file":"hdfs://h/a","name":"n"}"#).await;
    let before = world.get("/batches/0").await.text;
    for _ in 0..2 {
        world = world.crash_and_restart().await;
        // It shows this state at once, and no other before.
        assert_eq!(
            world.get("/batches/0/state").await.text,
            r#"{"id":0,"state":"running"}"#
        );
        world.quiesced().await;
        assert_eq!(world.get("/batches/n").await.text, before);
        // The agent may repeat its report.
        assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    }
    assert_eq!(
        world
            .post("/batches", r#"{"file":"hdfs://h/a","name":"n"}"#)
            .await
            .status,
        400
    );
    process.exit(Exit::Code(3));
    world.await_batch(B0, "dead").await;
    assert_eq!(detail(&world, B0).await["end"]["exitCode"], 3);
    assert_eq!(started(&world, 1).await, [0]);
}

#[tokio::test]
async fn a_batch_that_starts_goes_on_starting() {
    let world = world_of(1, 10).await;
    submit(&world, APP).await;
    let (order, _) = world.batch_process(B0).await;
    world.quiesced().await;
    let world = world.crash_and_restart().await;
    assert_eq!(detail(&world, B0).await["step"], "submitted");
    assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    world.await_batch(B0, "running").await;
    assert_eq!(started(&world, 1).await, [0]);
}

#[tokio::test]
async fn how_a_batch_ended_while_no_server_was_there_is_known() {
    let world = World::new().await;
    let cases = [
        (
            Exit::Code(0),
            "success",
            json!({"exitCode": 0, "signal": null}),
        ),
        (
            Exit::Code(3),
            "dead",
            json!({"exitCode": 3, "signal": null}),
        ),
        (
            Exit::Signal(9),
            "dead",
            json!({"exitCode": null, "signal": 9}),
        ),
        (
            Exit::Unknown,
            "dead",
            json!({"exitCode": null, "signal": null}),
        ),
    ];
    let mut processes = Vec::new();
    for _ in &cases {
        processes.push(run(&world, APP).await);
    }
    let (submitted, judged) = (submit(&world, APP).await, submit(&world, APP).await);
    let (_, unheard) = world.batch_process(submitted).await;
    let (order, herald) = world.batch_process(judged).await;
    world.quiesced().await;
    // The server dies first. Then its applications end one after the other.
    let exits = async {
        for ((exit, ..), (order, process)) in cases.iter().zip(&processes) {
            std::fs::write(
                world.dir_of(order).join("stdout.log"),
                "Error: said meanwhile\n",
            )
            .unwrap();
            process.exit(*exit);
        }
        unheard.exit(Exit::Code(1));
        world.launcher().say(&order.id, Verdict::Finished);
        herald.exit(Exit::Code(1));
    };
    world.batches().abandon().await;
    exits.await;
    let world = world.crash_and_restart().await;
    for (id, (_, state, exit)) in (0..).zip(&cases) {
        world.await_batch(BatchId(id), state).await;
        let end = detail(&world, BatchId(id)).await["end"].clone();
        assert_eq!(
            (&end["exitCode"], &end["signal"]),
            (&exit["exitCode"], &exit["signal"])
        );
        if *state == "dead" {
            let message = end["failure"]["message"].as_str().unwrap();
            assert!(message.ends_with(": Error: said meanwhile"), "{message}");
            assert!(log_of(&world, BatchId(id)).await.contains(message));
        }
    }
    world.await_batch(submitted, "dead").await;
    assert_eq!(
        detail(&world, submitted).await["end"]["failure"]["phase"],
        "submit"
    );
    world.await_batch(judged, "success").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_that_wait_keep_their_order() {
    for _ in 0..3 {
        let world = world_of(1, 1).await;
        let (_, first) = run(&world, APP).await;
        for id in 1..40 {
            assert_eq!(submit(&world, APP).await.0, id);
        }
        assert_eq!(world.delete("/batches/5").await.status, 200);
        let world = world.crash_and_restart().await;
        first.exit(Exit::Code(0));
        let world = world.crash_and_restart().await;
        let expected: Vec<i32> = (0..40).filter(|id| *id != 5).collect();
        for id in &expected[1..] {
            let (_, process) = world.batch_process(BatchId(*id)).await;
            process.exit(Exit::Code(0));
        }
        assert_eq!(started(&world, 39).await, expected);
        assert_eq!(world.launcher().most_running(), 1);
        assert_eq!(world.get("/batches/5").await.status, 404);
    }
}

#[tokio::test]
async fn a_launch_that_did_not_happen_happens_once() {
    let world = world_of(1, 1).await;
    world.launcher().hold(true);
    submit(&world, APP).await;
    submit(&world, APP).await;
    eventually("it is being launched", async || {
        (detail(&world, B0).await["step"] == "launching").then_some(())
    })
    .await;
    let world = world.crash_and_restart().await;
    world.launcher().hold(false);
    let (order, process) = world.batch_process(B0).await;
    assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    std::fs::write(world.dir_of(&order).join("stdout.log"), "said\n").unwrap();
    assert_eq!(log_of(&world, B0).await, "stdout: \nsaid\n\nstderr: ");
    process.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    assert_eq!(log_of(&world, B0).await, "stdout: \nsaid\n\nstderr: ");
    world.batch_process(B1).await;
    assert_eq!(started(&world, 2).await, [0, 1]);
    let shown = detail(&world, B0).await;
    assert!(shown["launchedAt"].is_string());
}

#[tokio::test]
async fn a_launch_that_could_not_be_recorded_is_not_repeated() {
    let world = World::new().await;
    world.launcher().hold(true);
    submit(&world, APP).await;
    eventually("it is being launched", async || {
        (detail(&world, B0).await["step"] == "launching").then_some(())
    })
    .await;
    world.disk().set_full(true);
    world.launcher().hold(false);
    let (order, process) = world.batch_process(B0).await;
    world.quiesced().await;
    let world = world.crash_and_restart().await;
    world.quiesced().await;
    assert_eq!(started(&world, 1).await, [0]);
    assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    process.exit(Exit::Code(4));
    world.await_batch(B0, "dead").await;
    assert_eq!(detail(&world, B0).await["end"]["exitCode"], 4);
}

#[tokio::test]
async fn what_was_being_killed_is_killed_after_a_restart() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    run(&world, APP).await;
    submit(&world, APP).await;
    world.batch_process(B1).await;
    world.quiesced().await;
    for id in [B0, B1] {
        let path = format!("/api/v1/batches/{id}/kill");
        let asked = world.answered(world.post(&path, "")).await;
        assert!(asked.is_none(), "its process is deaf");
    }
    let world = world.crash_and_restart().await;
    assert_eq!(world.launcher().running(), 2);
    assert_eq!(
        world.get("/batches/0/state").await.json()["state"],
        "running"
    );
    world.launcher().make_deaf(false);
    let world = world.crash_and_restart().await;
    for id in [B0, B1] {
        world.await_batch(id, "killed").await;
        assert_eq!(detail(&world, id).await["end"]["cause"], "user");
    }
    assert_eq!(world.launcher().running(), 0);
}

#[tokio::test]
async fn what_was_deleted_is_ended_after_a_restart_and_never_seen() {
    let world = world_of(10, 3).await;
    world.launcher().make_deaf(true);
    run(&world, r#"{"file":"hdfs://h/a","name":"n"}"#).await;
    submit(&world, APP).await;
    world.batch_process(B1).await;
    world.launcher().hold(true);
    submit(&world, APP).await;
    eventually("the third is being launched", async || {
        (detail(&world, B2).await["step"] == "launching").then_some(())
    })
    .await;
    for id in 0..3 {
        let path = format!("/batches/{id}");
        assert_eq!(world.delete(&path).await.status, 200);
    }
    let world = world.crash_and_restart().await;
    world.launcher().hold(false);
    let unseen = async |world: &World| {
        for id in ["0", "1", "2", "n"] {
            assert_eq!(world.get(&format!("/batches/{id}")).await.status, 404);
        }
        assert_eq!(total(world).await, 0);
    };
    unseen(&world).await;
    world.quiesced().await;
    unseen(&world).await;
    assert_eq!(world.launcher().running(), 2);
    world.launcher().make_deaf(false);
    let world = world.crash_and_restart().await;
    eventually("both are ended", async || {
        (world.launcher().running() == 0).then_some(())
    })
    .await;
    unseen(&world).await;
    // The third batch was never started. All three places are free.
    assert_eq!(started(&world, 2).await, [0, 1]);
    for id in 3..6 {
        assert_eq!(submit(&world, APP).await.0, id);
        world.batch_process(BatchId(id)).await;
    }
}

#[tokio::test]
async fn numbers_are_never_given_twice() {
    let world = World::new().await;
    for id in 0..3 {
        assert_eq!(submit(&world, APP).await.0, id);
    }
    assert_eq!(world.delete("/batches/2").await.status, 200);
    assert_eq!(world.delete("/batches/1").await.status, 200);
    let world = world.crash_and_restart().await;
    assert_eq!(submit(&world, APP).await.0, 3);
    assert_eq!(world.delete("/batches/3").await.status, 200);
    let world = world.crash_and_restart().await;
    assert_eq!(submit(&world, APP).await.0, 4);
    let list = world.get("/batches").await.json();
    let ids: Vec<&Value> = list["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|batch| &batch["id"])
        .collect();
    assert_eq!(ids, [&json!(0), &json!(4)]);
}

#[tokio::test]
async fn a_delete_that_was_answered_holds_even_if_the_disk_was_too_slow_for_it() {
    let world = world_of(1, 1).await;
    world.launcher().make_deaf(true);
    run(&world, APP).await;
    submit(&world, APP).await;
    world.quiesced().await;
    // The store takes changes of the lists, but delays changes of batches.
    world.disk().hold("update_batch");
    for path in ["/batches/0", "/batches/1"] {
        let deleted = world.answered(world.delete(path)).await;
        assert_eq!(deleted.expect("an answer at once").status, 200);
    }
    world.disk().set_full(true);
    world.disk().release("update_batch");
    world.quiesced().await;
    world.launcher().make_deaf(false);
    let world = world.crash_and_restart().await;
    eventually("it is ended", async || {
        (world.launcher().running() == 0).then_some(())
    })
    .await;
    for path in ["/batches/0", "/batches/1"] {
        assert_eq!(world.get(path).await.status, 404);
    }
    assert_eq!(
        (started(&world, 1).await, total(&world).await),
        (vec![0], 0)
    );
    // Both places are free.
    let next = submit(&world, APP).await;
    world.batch_process(next).await;
    assert_eq!(started(&world, 2).await, [0, next.0]);
}

#[tokio::test]
async fn ended_batches_in_excess_are_forgotten_with_their_logs() {
    let world = World::limited(livius_domain::Limits {
        ended_batches: 2,
        ended_batch_retention: Duration::from_mins(1),
        ..livius_domain::Limits::default()
    })
    .await;
    let mut dirs = Vec::new();
    for id in 0..4 {
        let (order, process) = run(&world, APP).await;
        dirs.push(world.dir_of(&order));
        process.exit(Exit::Code(1));
        world.await_batch(BatchId(id), "dead").await;
        world.clock().advance(Duration::from_secs(1));
    }
    let (order, _) = run(&world, APP).await;
    world.quiesced().await;
    let world = world.crash_and_restart().await;
    eventually("two are forgotten", async || {
        (total(&world).await == 3).then_some(())
    })
    .await;
    eventually("their directories are gone", async || {
        let there: Vec<bool> = dirs.iter().map(|dir| dir.exists()).collect();
        (there == [false, false, true, true]).then_some(())
    })
    .await;
    assert_eq!(world.get("/batches/0").await.status, 404);
    world.clock().advance(Duration::from_secs(61));
    let world = world.crash_and_restart().await;
    eventually("only the living one is left", async || {
        (total(&world).await == 1).then_some(())
    })
    .await;
    assert!(world.dir_of(&order).exists());
    world.await_batch(BatchId(4), "running").await;
}

#[tokio::test]
async fn a_retention_longer_than_all_time_keeps_what_its_number_allows() {
    let world = World::limited(livius_domain::Limits {
        ended_batches: 1,
        ended_batch_retention: Duration::MAX,
        ..livius_domain::Limits::default()
    })
    .await;
    for id in 0..2 {
        run(&world, APP).await.1.exit(Exit::Code(1));
        world.await_batch(BatchId(id), "dead").await;
        world.clock().advance(Duration::from_secs(1));
    }
    let world = world.crash_and_restart().await;
    eventually("one is forgotten", async || {
        (total(&world).await == 1).then_some(())
    })
    .await;
    world.await_batch(BatchId(1), "dead").await;
}

#[tokio::test]
async fn a_panic_in_one_actor_ends_one_batch() {
    let world = World::new().await;
    let (_, process) = run(&world, APP).await;
    run(&world, APP).await;
    world.quiesced().await;
    world.disk().panic_next("update_batch");
    let refused = world.post("/api/v1/batches/0/kill", "").await;
    assert!(refused.status.is_server_error(), "{}", refused.status);
    world.await_batch(B0, "dead").await;
    assert_eq!(process.exited().await, Exit::Signal(9));
    assert_eq!(
        detail(&world, B0).await["end"]["failure"]["code"],
        "server_fault"
    );
    world.await_batch(B1, "running").await;
    let world = world.crash_and_restart().await;
    world.await_batch(B0, "dead").await;
    world.await_batch(B1, "running").await;
}

#[tokio::test]
async fn the_next_server_serves_before_it_has_taken_up_the_batches() {
    let world = world_of(1, 1).await;
    let (_, first) = run(&world, APP).await;
    for _ in [B1, B2] {
        submit(&world, APP).await;
    }
    let world = world.crash_and_restart_holding("unended_batches").await;
    world.quiesced().await;
    assert_eq!(total(&world).await, 3);
    for (id, state) in [(B0, "running"), (B1, "starting")] {
        assert_eq!(detail(&world, id).await["state"], state);
    }
    // The driver's agent is asked to come again.
    let (order, _) = world.batch_process(B0).await;
    assert_eq!(world.report_application(&order, REPORT).await.status, 503);
    // Requests that change something wait.
    assert!(world.answered(world.delete("/batches/1")).await.is_none());
    assert!(world.answered(world.post("/batches", APP)).await.is_none());
    assert_eq!(total(&world).await, 3);

    world.disk().release("unended_batches");
    assert_eq!(world.delete("/batches/1").await.status, 200);
    first.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    // The client of the new batch has hung up, but the server had taken the request.
    let (_, second) = world.batch_process(B2).await;
    second.exit(Exit::Code(0));
    assert_eq!(started(&world, 3).await, [0, 2, 3]);
}

#[tokio::test]
async fn a_shutdown_ends_batches_that_were_not_taken_up_yet() {
    let world = World::new().await;
    let (_, process) = run(&world, APP).await;
    let world = world.crash_and_restart_holding("unended_batches").await;
    let stop = ShutdownPolicy::Stop;
    let shutdown = world.batches().shutdown(stop, Duration::from_mins(1));
    let release = async {
        world.quiesced().await;
        assert_eq!(world.launcher().running(), 1);
        world.disk().release("unended_batches");
    };
    assert!(tokio::join!(shutdown, release).0);
    assert_eq!(process.exited().await, Exit::Signal(9));
}
