//! Stopping and deleting, at every moment of a session's life.

use std::time::Duration;

use livius_domain::{Exit, Limits, SessionId};
use livius_testkit::{World, eventually, pass};
use serde_json::{Value, json};

use super::{ANY, S0, S1, await_launched, create, launched, log_of, ready, total, world_of};

/// Asserts that nothing shows a session any more.
async fn is_unseen(world: &World, id: SessionId) {
    for path in ["", "/state", "/log", "/statements"] {
        let path = format!("/sessions/{id}{path}");
        assert_eq!(world.get(&path).await.status, 404, "{path}");
    }
    for operation in ["stop", "interrupt", "connect"] {
        let path = format!("/sessions/{id}/{operation}");
        assert_eq!(world.post(&path, "").await.status, 404, "{path}");
    }
    let again = world.delete(&format!("/sessions/{id}")).await;
    let absent = json!({"msg": format!("Session '{id}' not found.")});
    assert_eq!((again.status.as_u16(), again.json()), (404, absent));
    let list = world.get("/sessions?size=10000").await.json();
    let shown = |session: &Value| session["id"] == id.0;
    assert!(!list["sessions"].as_array().unwrap().iter().any(shown));
}

#[tokio::test]
async fn a_stopped_session_stays_and_says_who_wanted_it() {
    let world = World::new().await;
    create(&world, ANY).await;
    let (_, process) = world.driver(S0).await;
    assert_eq!(world.post("/sessions/0/stop", "").await.status, 204);
    assert_eq!(process.exited().await, Exit::Signal(9));
    world.await_state(S0, "killed").await;
    let log = log_of(&world, S0).await;
    assert!(
        log.contains("livius: the session was stopped (on request)"),
        "{log}"
    );
    assert_eq!(total(&world).await, 1);
    // Once more changes nothing.
    assert_eq!(world.post("/sessions/0/stop", "").await.status, 204);
    assert_eq!(log_of(&world, S0).await, log);
}

#[tokio::test]
async fn an_ended_session_is_deleted_as_well() {
    let world = World::new().await;
    for (id, exit) in [(S0, Exit::Code(0)), (S1, Exit::Signal(9))] {
        create(&world, ANY).await;
        world.driver(id).await.1.exit(exit);
        world.await_state(id, "dead").await;
        assert_eq!(world.delete(&format!("/sessions/{id}")).await.status, 200);
        is_unseen(&world, id).await;
    }
    assert_eq!(total(&world).await, 0);
    let world = world.crash_and_restart().await;
    is_unseen(&world, S0).await;
}

#[tokio::test]
async fn a_deleted_session_that_does_not_go_at_once_is_not_seen_while_it_goes() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    let named = r#"{"kind":"pyspark","name":"n"}"#;
    create(&world, named).await;
    let (_, process) = world.driver(S0).await;
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    assert_eq!(world.launcher().running(), 1);
    assert_eq!(total(&world).await, 0);
    is_unseen(&world, S0).await;
    // Its name is free.
    assert_eq!(create(&world, named).await, S1);
    assert_eq!(world.get("/sessions/n").await.json()["id"], 1);
    process.exit(Exit::Signal(9));
    world.quiesced().await;
    assert_eq!(world.get("/sessions/n").await.json()["id"], 1);
}

#[tokio::test]
async fn a_creation_waits_for_the_place_of_a_deleted_session() {
    let limits = Limits {
        live_sessions: 2,
        ..Limits::default()
    };
    let world = World::limited(limits).await;
    world.launcher().make_deaf(true);
    for _ in [S0, S1] {
        create(&world, ANY).await;
    }
    let (_, process) = world.driver(S0).await;
    // Without a deletion there is nothing to wait for.
    let full = world.answered(world.post("/sessions", ANY)).await;
    assert_eq!(full.expect("an answer at once").status, 400);

    assert_eq!(world.delete("/sessions/0").await.status, 200);
    let ending = async {
        world.quiesced().await;
        assert_eq!(total(&world).await, 1, "its driver still lives");
        process.exit(Exit::Signal(9));
    };
    let (created, ()) = tokio::join!(world.post("/sessions", ANY), ending);
    assert_eq!(created.status, 201, "{}", created.text);

    // A driver that does not end does not keep the client waiting for long.
    assert_eq!(world.delete("/sessions/1").await.status, 200);
    let waiting = async {
        world.quiesced().await;
        pass(Duration::from_secs(5)).await;
    };
    let (refused, ()) = tokio::join!(world.post("/sessions", ANY), waiting);
    assert_eq!((refused.status.as_u16(), total(&world).await), (400, 1));
    world.driver(S1).await.1.exit(Exit::Signal(9));
    create(&world, ANY).await;
}

#[tokio::test]
async fn a_session_that_is_deleted_while_it_waits_is_never_started() {
    let world = world_of(1).await;
    for _ in 0..5 {
        create(&world, ANY).await;
    }
    await_launched(&world, 5, &[0]).await;
    for id in [1, 3] {
        assert_eq!(world.delete(&format!("/sessions/{id}")).await.status, 200);
        is_unseen(&world, SessionId(id)).await;
    }
    let _first = ready(&world, S0).await;
    await_launched(&world, 5, &[0, 2]).await;
    let _third = ready(&world, SessionId(2)).await;
    await_launched(&world, 5, &[0, 2, 4]).await;
    assert_eq!(total(&world).await, 3);
}

#[tokio::test]
async fn a_session_that_is_ended_during_its_launch_is_ended_after_it() {
    let world = World::new().await;
    world.launcher().hold(true);
    for _ in [S0, S1] {
        create(&world, ANY).await;
    }
    world.quiesced().await;
    let going = async {
        eventually("both are being ended", async || {
            (total(&world).await == 1).then_some(())
        })
        .await;
        world.quiesced().await;
        world.launcher().hold(false);
    };
    let (stopped, deleted, ()) = tokio::join!(
        world.post("/sessions/0/stop", ""),
        world.delete("/sessions/1"),
        going
    );
    assert_eq!(
        (stopped.status.as_u16(), deleted.status.as_u16()),
        (204, 200)
    );
    world.await_state(S0, "killed").await;
    is_unseen(&world, S1).await;
    eventually("nothing runs", async || {
        (world.launcher().running() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nothing_is_left_of_a_launch_that_fails_after_its_session_was_deleted() {
    let world = World::new().await;
    world.launcher().refuse("no");
    for _ in 0..30 {
        let id = create(&world, ANY).await;
        assert_eq!(world.delete(&format!("/sessions/{id}")).await.status, 200);
        is_unseen(&world, id).await;
    }
    assert_eq!(total(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_delete_that_races_with_the_end_is_answered_rightly() {
    let world = World::new().await;
    for round in 0..50 {
        let id = create(&world, ANY).await;
        let (_, process) = world.driver(id).await;
        let path = format!("/sessions/{id}");
        let ending = async { process.exit(Exit::Code(round % 2)) };
        let watching = async {
            let shown = world.get(&format!("{path}/log")).await;
            let stopped = world.post(&format!("{path}/stop"), "").await;
            (shown.status, stopped.status)
        };
        let (first, second, (), (shown, stopped)) =
            tokio::join!(world.delete(&path), world.delete(&path), ending, watching);
        for status in [first.status, second.status, shown, stopped] {
            assert!([200, 204, 404].contains(&status.as_u16()), "{status}");
        }
        assert!(first.status == 200 || second.status == 200);
        is_unseen(&world, id).await;
    }
    assert_eq!((total(&world).await, world.launcher().running()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_delete_that_races_with_the_creation_ends_what_was_started() {
    let world = world_of(2).await;
    let mut asked = Vec::new();
    for id in 0..50 {
        asked.push(async move |world: &World| {
            // Numbers can be guessed: a client may delete a session before its creator knows of it.
            let path = format!("/sessions/{id}");
            while world.delete(&path).await.status != 200 {
                tokio::task::yield_now().await;
            }
        });
    }
    let deleting = futures_util::future::join_all(asked.iter().map(|delete| delete(&world)));
    let creating = futures_util::future::join_all((0..50).map(|_| world.post("/sessions", ANY)));
    let (created, _) = tokio::join!(creating, deleting);
    assert!(created.iter().all(|answer| answer.status == 201));
    eventually("nothing runs", async || {
        (world.launcher().running() == 0).then_some(())
    })
    .await;
    for id in 0..50 {
        is_unseen(&world, SessionId(id)).await;
    }
    // All places are free again.
    let next = create(&world, ANY).await;
    world.driver(next).await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    create(&world, ANY).await;
    let (_, process) = world.driver(S0).await;
    let waiting = async {
        world.quiesced().await;
        pass(Duration::from_secs(5)).await;
    };
    let (stopped, ()) = tokio::join!(world.post("/sessions/0/stop", ""), waiting);
    assert_eq!(stopped.status, 204);
    assert_eq!(
        (launched(&world, 1), world.launcher().running()),
        (vec![0], 1)
    );
    process.exit(Exit::Signal(9));
    world.await_state(S0, "killed").await;
}

#[tokio::test]
async fn a_deleted_session_is_ended_by_the_next_server_if_this_one_could_not() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    create(&world, ANY).await;
    let (_, process) = world.driver(S0).await;
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    world.quiesced().await;
    assert_eq!((total(&world).await, world.launcher().running()), (0, 1));
    world.launcher().make_deaf(false);
    let world = world.crash_and_restart().await;
    is_unseen(&world, S0).await;
    eventually("its driver is ended", async || {
        (world.launcher().running() == 0).then_some(())
    })
    .await;
    assert_eq!(process.exited().await, Exit::Signal(9));
}

/// The row may say no more of a delete than that the session is not listed.
#[tokio::test]
async fn a_session_that_is_not_listed_is_stopped_by_the_next_server() {
    let world = World::new().await;
    let _agent = world.idle_session(ANY).await;
    for write in ["update_session", "update_driver"] {
        world.disk().fail_next(write);
    }
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    let world = world.crash_and_restart().await;
    let (_, process) = world.driver(S0).await;
    assert_eq!(process.exited().await, Exit::Signal(9));
    is_unseen(&world, S0).await;
}

#[tokio::test]
async fn what_a_session_wrote_stays_until_the_session_is_purged() {
    let world = World::new().await;
    create(&world, ANY).await;
    let (order, _) = world.driver(S0).await;
    let dir = world.dir_of(&order);
    let table = dir.join("work/spark-warehouse/t");
    let transient = [dir.join("work/tmp"), dir.join("uploads")];
    for dir in transient.iter().chain([&table]) {
        std::fs::create_dir_all(dir).unwrap();
    }
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    world.quiesced().await;
    assert!(table.is_dir());
    assert!(transient.iter().all(|dir| !dir.exists()));
    let world = world.crash_and_restart().await;
    world.quiesced().await;
    assert!(table.is_dir());
    world.clock().advance(Duration::from_hours(25));
    let world = world.crash_and_restart().await;
    eventually("its files are purged", async || {
        (!dir.exists() && world.launcher().running() == 0).then_some(())
    })
    .await;
}
