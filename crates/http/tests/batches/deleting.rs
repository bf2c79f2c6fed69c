//! Killing and deleting a batch at every moment of its life.

use std::time::Duration;

use livius_domain::{BatchId, Exit, Verdict};
use livius_testkit::{World, eventually, pass};
use serde_json::{Value, json};

use super::{APP, B0, B1, REPORT, detail, log_of, run, started, submit, total, world_of};

/// Asserts that no route shows a batch.
async fn is_unseen(world: &World, id: BatchId) {
    for path in [
        "/batches/{}",
        "/batches/{}/state",
        "/batches/{}/log",
        "/api/v1/batches/{}",
    ] {
        let path = path.replace("{}", &id.to_string());
        assert_eq!(world.get(&path).await.status, 404, "{path}");
    }
    let path = format!("/api/v1/batches/{id}/kill");
    assert_eq!(world.post(&path, "").await.status, 404);
    let again = world.delete(&format!("/batches/{id}")).await;
    assert_eq!(again.status, 404);
    assert_eq!(
        again.json(),
        json!({"msg": format!("Session '{id}' not found.")})
    );
    let list = world.get("/batches?size=10000").await.json();
    let shown = |batch: &Value| batch["id"] == id.0;
    assert!(!list["sessions"].as_array().unwrap().iter().any(shown));
}

#[tokio::test]
async fn a_killed_batch_stays_and_says_who_wanted_it() {
    let world = World::new().await;
    let (_, process) = run(&world, r#"{"file":"hdfs://h/a","name":"n"}"#).await;
    let killed = world.post("/api/v1/batches/n/kill", "").await;
    assert_eq!(killed.status, 200);
    assert_eq!(process.exited().await, Exit::Signal(9));
    let killed = killed.json();
    assert_eq!(killed["state"], "killed");
    assert_eq!(
        killed["end"],
        json!({"outcome": "killed", "cause": "user", "exitCode": null, "signal": 9, "failure": null})
    );
    let log = log_of(&world, B0).await;
    assert!(
        log.contains("livius: the batch was killed (on request)"),
        "{log}"
    );
    assert_eq!(total(&world).await, 1);
    // A second kill changes nothing.
    let again = world.post("/api/v1/batches/0/kill", "").await;
    assert_eq!((again.status.as_u16(), again.json()), (200, killed));
    assert_eq!(log_of(&world, B0).await, log);
}

#[tokio::test]
async fn a_kill_that_comes_too_late_does_not_change_the_end() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    for (id, exit, verdict, state) in [
        (B0, Exit::Code(0), None, "success"),
        (B1, Exit::Code(143), None, "killed"),
        (super::B2, Exit::Code(1), Some(Verdict::Finished), "success"),
    ] {
        let (order, process) = run(&world, APP).await;
        if let Some(verdict) = verdict {
            world.launcher().say(&order.id, verdict);
        }
        let ending = async {
            eventually("the kill is under way", async || {
                detail(&world, id).await["stoppingAt"]
                    .is_string()
                    .then_some(())
            })
            .await;
            process.exit(exit);
        };
        let path = format!("/api/v1/batches/{id}/kill");
        let (killed, ()) = tokio::join!(world.post(&path, ""), ending);
        assert_eq!(
            (&killed.json()["state"], &killed.json()["end"]["cause"]),
            (&json!(state), &json!("user"))
        );
    }
}

#[tokio::test]
async fn a_deleted_batch_is_ended_and_gone() {
    let world = World::new().await;
    let (_, process) = run(&world, r#"{"file":"hdfs://h/a","name":"n"}"#).await;
    let deleted = world.delete("/batches/n").await;
    assert_eq!(
        (deleted.status.as_u16(), deleted.text.as_str()),
        (200, r#"{"msg":"deleted"}"#)
    );
    assert_eq!(process.exited().await, Exit::Signal(9));
    is_unseen(&world, B0).await;
    assert_eq!(world.get("/batches/n").await.status, 404);
    assert_eq!((total(&world).await, world.launcher().running()), (0, 0));
}

#[tokio::test]
async fn an_ended_batch_is_deleted_as_well() {
    let world = World::new().await;
    for (id, exit) in [(B0, Exit::Code(0)), (B1, Exit::Code(1))] {
        let (_, process) = run(&world, APP).await;
        process.exit(exit);
        eventually("it has ended", async || {
            detail(&world, id).await["end"].is_object().then_some(())
        })
        .await;
        assert_eq!(world.delete(&format!("/batches/{id}")).await.status, 200);
        is_unseen(&world, id).await;
    }
    assert_eq!(total(&world).await, 0);
    let world = world.crash_and_restart().await;
    is_unseen(&world, B0).await;
}

#[tokio::test]
async fn a_deleted_batch_that_does_not_go_at_once_is_not_seen_while_it_goes() {
    let world = world_of(1, 1).await;
    world.launcher().make_deaf(true);
    let (_, process) = run(&world, r#"{"file":"hdfs://h/a","name":"n"}"#).await;
    assert_eq!(world.delete("/batches/0").await.status, 200);
    assert_eq!((total(&world).await, world.launcher().running()), (0, 1));
    is_unseen(&world, B0).await;
    // Its name is free. Its place is not, because its process still runs.
    assert_eq!(
        submit(&world, r#"{"file":"hdfs://h/a","name":"n"}"#).await,
        B1
    );
    assert_eq!(world.get("/batches/n").await.json()["id"], 1);
    world.quiesced().await;
    assert_eq!(started(&world, 1).await, [0]);
    process.exit(Exit::Signal(9));
    assert_eq!(started(&world, 2).await, [0, 1]);
    assert_eq!(world.get("/batches/n").await.json()["id"], 1);
}

#[tokio::test]
async fn a_batch_that_is_ended_while_it_waits_is_never_started() {
    let world = world_of(1, 1).await;
    let (_, first) = run(&world, APP).await;
    for id in 1..=5 {
        assert_eq!(submit(&world, APP).await.0, id);
    }
    for id in [1, 3] {
        assert_eq!(world.delete(&format!("/batches/{id}")).await.status, 200);
        is_unseen(&world, BatchId(id)).await;
    }
    let killed = world.post("/api/v1/batches/4/kill", "").await.json();
    assert_eq!(
        (&killed["state"], &killed["end"]["cause"]),
        (&json!("killed"), &json!("user"))
    );
    assert_eq!(killed["launchedAt"], Value::Null);
    // The next batches in the queue get their places.
    first.exit(Exit::Code(0));
    assert_eq!(started(&world, 2).await, [0, 2]);
    world.batch_process(BatchId(2)).await.1.exit(Exit::Code(0));
    assert_eq!(started(&world, 3).await, [0, 2, 5]);
    world.batch_process(BatchId(5)).await.1.exit(Exit::Code(0));
    assert_eq!(submit(&world, APP).await.0, 6);
    assert_eq!(started(&world, 4).await, [0, 2, 5, 6]);
    assert_eq!(total(&world).await, 5);
}

#[tokio::test]
async fn places_in_the_queue_come_back_when_those_that_wait_are_deleted() {
    let world = World::limited(livius_domain::Limits {
        running_batches: 1,
        waiting_batches: 2,
        ..livius_domain::Limits::default()
    })
    .await;
    let (_, first) = run(&world, APP).await;
    for _ in 0..20 {
        let (a, b) = (submit(&world, APP).await, submit(&world, APP).await);
        assert_eq!(world.post("/batches", APP).await.status, 429);
        for id in [a, b] {
            assert_eq!(world.delete(&format!("/batches/{id}")).await.status, 200);
        }
    }
    let last = submit(&world, APP).await;
    first.exit(Exit::Code(0));
    assert_eq!(started(&world, 2).await, [0, last.0]);
}

#[tokio::test]
async fn a_batch_that_is_ended_during_its_launch_is_ended_after_it() {
    let world = World::new().await;
    world.launcher().hold(true);
    for id in [B0, B1] {
        submit(&world, APP).await;
        eventually("it is being launched", async || {
            (detail(&world, id).await["step"] == "launching").then_some(())
        })
        .await;
    }
    let going = async {
        eventually("both are being ended", async || {
            let killed = detail(&world, B0).await["stoppingAt"].is_string();
            (killed && total(&world).await == 1).then_some(())
        })
        .await;
        assert_eq!(detail(&world, B0).await["state"], "starting");
        world.launcher().hold(false);
    };
    let (killed, deleted, ()) = tokio::join!(
        world.post("/api/v1/batches/0/kill", ""),
        world.delete("/batches/1"),
        going
    );
    assert_eq!(
        (&killed.json()["state"], deleted.status.as_u16()),
        (&json!("killed"), 200)
    );
    is_unseen(&world, B1).await;
    eventually("nothing runs", async || {
        (world.launcher().running() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nothing_is_left_of_a_launch_that_fails_after_its_batch_was_deleted() {
    let world = World::new().await;
    submit(&world, APP).await;
    world.launcher().refuse("no");
    for _ in 0..50 {
        let id = submit(&world, APP).await;
        assert_eq!(world.delete(&format!("/batches/{id}")).await.status, 200);
        is_unseen(&world, id).await;
    }
    assert_eq!(total(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_delete_that_races_with_the_end_is_answered_rightly() {
    let world = World::new().await;
    for round in 0..100 {
        let id = submit(&world, APP).await;
        let (order, process) = world.batch_process(id).await;
        let path = format!("/batches/{id}");
        let ending = async {
            if round % 3 == 0 {
                world.report_application(&order, REPORT).await;
            }
            process.exit(Exit::Code(round % 2));
        };
        let watching = async {
            let shown = world.get(&format!("{path}/log")).await;
            let kill = world.post(&format!("/api/v1{path}/kill"), "").await;
            (shown.status, kill.status)
        };
        let (first, second, (), (shown, kill)) =
            tokio::join!(world.delete(&path), world.delete(&path), ending, watching);
        for status in [first.status, second.status, shown, kill] {
            assert!([200, 404].contains(&status.as_u16()), "{status}");
        }
        assert!(first.status == 200 || second.status == 200);
        is_unseen(&world, id).await;
    }
    assert_eq!((total(&world).await, world.launcher().running()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_delete_that_races_with_the_start_ends_what_was_started() {
    let world = world_of(2, 2).await;
    let mut asked = Vec::new();
    for id in 0..100 {
        asked.push(async move |world: &World| {
            // A client can guess the number and delete the batch before its creator knows it.
            let path = format!("/batches/{id}");
            while world.delete(&path).await.status != 200 {
                tokio::task::yield_now().await;
            }
        });
    }
    let deleting = futures_util::future::join_all(asked.iter().map(|delete| delete(&world)));
    let creating = futures_util::future::join_all((0..100).map(|_| world.post("/batches", APP)));
    let (created, _) = tokio::join!(creating, deleting);
    assert!(created.iter().all(|answer| answer.status == 201));
    eventually("nothing runs", async || {
        (world.launcher().running() == 0).then_some(())
    })
    .await;
    for id in 0..100 {
        is_unseen(&world, BatchId(id)).await;
    }
    // All places are free again.
    let next = submit(&world, APP).await;
    world.batch_process(next).await;
}

#[tokio::test]
async fn who_hangs_up_leaves_nothing_half_done() {
    let world = World::new().await;
    let mut asked = Box::pin(world.post("/batches", r#"{"file":"hdfs://h/a","name":"left"}"#));
    assert!(futures_util::poll!(asked.as_mut()).is_pending());
    drop(asked);
    world.batch_process(B0).await;
    world.launcher().make_deaf(true);
    assert_eq!(world.delete("/batches/left").await.status, 200);
    assert_eq!(world.launcher().running(), 1, "its process is deaf");
    is_unseen(&world, B0).await;
    world.batch_process(B0).await.1.exit(Exit::Signal(9));
    run(&world, r#"{"file":"hdfs://h/a","name":"left"}"#).await;
}

#[tokio::test]
async fn a_kill_does_not_wait_for_ever() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    let (_, process) = run(&world, APP).await;
    let waiting = async {
        world.quiesced().await;
        pass(Duration::from_secs(5)).await;
    };
    let (killed, ()) = tokio::join!(world.post("/api/v1/batches/0/kill", ""), waiting);
    assert_eq!(
        (killed.status.as_u16(), &killed.json()["end"]),
        (200, &Value::Null)
    );
    assert_eq!(world.launcher().running(), 1);
    process.exit(Exit::Signal(9));
    world.await_batch(B0, "killed").await;
}
