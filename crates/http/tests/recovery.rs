//! Lost links and lost servers: nothing that was acknowledged or shown is lost, and nothing runs
//! twice.

use std::time::Duration;

use axum::http::Request;
use livius_agent_link::Event;
use livius_domain::{DriverId, Exit, SessionId, StatementId};
use livius_testkit::{ScriptedAgent, World, eventually, pass};

const S0: SessionId = SessionId(0);

#[tokio::test]
async fn a_result_said_into_a_lost_link_arrives_after_it_is_back() {
    let world = World::new().await;
    let mut agent = world
        .idle_session(r#"{"kind":"pyspark","name":"kept"}"#)
        .await;
    world.run("x").await;
    let (id, _) = agent.expect_run().await;
    agent.disconnect();
    agent.started(id).await;
    agent.finished(id, "kept").await;
    world.await_state(S0, "busy").await;
    agent.reconnect(&world).await;
    let done = world.await_statement(S0, 0, "available").await;
    assert_eq!(done["output"]["data"]["text/plain"], "kept");
    agent.settled().await;
}

#[tokio::test]
async fn a_run_that_did_not_arrive_is_sent_again() {
    let world = World::new().await;
    let mut agent = world
        .idle_session(r#"{"kind":"pyspark","name":"kept"}"#)
        .await;
    agent.disconnect();
    world.run("x").await;
    agent.reconnect(&world).await;
    assert_eq!(agent.expect_run().await, (StatementId(0), "x".to_owned()));
    world.post("/sessions/0/statements/0/cancel", "").await;
    assert_eq!(agent.expect_cancel().await, StatementId(0));
    agent.disconnect();
    agent.reconnect(&world).await;
    assert_eq!(agent.expect_run().await.0, StatementId(0));
    assert_eq!(agent.expect_cancel().await, StatementId(0));
}

#[tokio::test]
async fn only_drivers_on_clusters_that_no_record_names_are_ended() {
    let world = World::new().await;
    let _agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let known = world.driver(S0).await.0.id;
    let stray = DriverId::parse("b-7-c0ffee").unwrap();
    world
        .launcher()
        .on_clusters()
        .extend([known.clone(), stray]);
    let world = world.crash_and_restart().await;
    eventually("only the session's driver is left", async || {
        let left = world.launcher().on_clusters().clone();
        (left.len() == 1).then_some(left)
    })
    .await;
    assert!(world.launcher().on_clusters().contains(&known));
}

#[tokio::test]
async fn after_a_crash_everything_is_where_it_was() {
    let world = World::new().await;
    let mut agent = world
        .idle_session(r#"{"kind":"pyspark","name":"kept"}"#)
        .await;
    for code in ["one", "two", "three"] {
        world.run(code).await;
    }
    let (first, _) = agent.expect_run().await;
    agent.finished(first, "1").await;
    let (second, _) = agent.expect_run().await;
    agent.started(second).await;
    world.await_statement(S0, 1, "running").await;

    let world = world.crash_and_restart().await;
    agent.disconnect();
    world.await_state(S0, "recovering").await;
    assert_eq!(
        world.await_statement(S0, 0, "available").await["output"]["data"]["text/plain"],
        "1"
    );
    world.await_statement(S0, 1, "running").await;
    world.await_statement(S0, 2, "waiting").await;
    // The agent sends this while it is not connected.
    agent.finished(second, "2").await;
    agent.reconnect(&world).await;
    world.await_statement(S0, 1, "available").await;
    // The server repeats what it sent before the crash. The agent knows it already.
    assert_eq!(agent.expect_run().await.0, second);
    let (third, code) = agent.expect_run().await;
    assert_eq!(code, "three");
    agent.finished(third, "3").await;
    world.await_statement(S0, 2, "available").await;
    world.await_state(S0, "idle").await;
    assert_eq!(world.get("/sessions/kept").await.json()["id"], 0);
    assert_eq!(world.post("/sessions", "{}").await.json()["id"], 1);
}

#[tokio::test]
async fn a_driver_that_died_while_the_server_was_away_is_known_to_be_dead() {
    let world = World::new().await;
    let mut agent = world
        .idle_session(r#"{"kind":"pyspark","name":"kept"}"#)
        .await;
    world.run("x").await;
    agent.expect_run().await;
    world.driver(S0).await.1.exit(Exit::Code(3));
    let world = world.crash_and_restart().await;
    world.await_state(S0, "dead").await;
    let lost = world.await_statement(S0, 0, "available").await;
    assert_eq!(lost["output"]["status"], "error");
}

#[tokio::test]
async fn a_driver_that_cannot_be_looked_at_is_not_gone() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.launcher().blind(true);
    let world = world.crash_and_restart().await;
    world.quiesced().await;
    let state = world.get("/sessions/0/state").await;
    assert_eq!(state.json()["state"], "recovering");
    world.launcher().blind(false);
    agent.reconnect(&world).await;
    world.await_state(S0, "idle").await;
    assert_eq!(world.launcher().running(), 1);
}

#[tokio::test]
async fn a_session_that_waited_for_its_start_starts_after_a_crash() {
    let options = livius_testkit::WorldOptions {
        limits: livius_domain::Limits {
            concurrent_starts: 1,
            ..livius_domain::Limits::default()
        },
        ..livius_testkit::WorldOptions::default()
    };
    let world = World::with(options).await;
    world.post("/sessions", "{}").await;
    world.post("/sessions", "{}").await;
    world.driver(S0).await;
    let world = world.crash_and_restart().await;
    let mut first = ScriptedAgent::connect(&world, S0).await;
    first.ready().await;
    world.await_state(S0, "idle").await;
    ScriptedAgent::connect(&world, SessionId(1))
        .await
        .ready()
        .await;
    world.await_state(SessionId(1), "idle").await;
}

#[tokio::test]
async fn a_session_being_deleted_is_not_seen_again_after_a_crash_and_its_driver_is_ended() {
    let world = World::new().await;
    let _deaf = world
        .idle_session(r#"{"kind":"pyspark","name":"kept"}"#)
        .await;
    // The driver is asked to end and does not.
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    assert_eq!(world.launcher().running(), 1);
    let world = world.crash_and_restart().await;
    eventually("the driver is ended", async || {
        (world.launcher().running() == 0).then_some(())
    })
    .await;
    assert_eq!(world.get("/sessions/0").await.status, 404);
    assert_eq!(world.get("/sessions").await.json()["total"], 0);
}

/// An earlier server, to which somebody went back, cannot read all rows of a later one.
#[tokio::test]
async fn a_driver_whose_rows_cannot_be_read_is_asked_to_wait_and_is_not_ended() {
    for table in ["drivers", "sessions"] {
        let world = World::new().await;
        let _agent = world.idle_session("{}").await;
        let (order, _) = world.driver(S0).await;
        world.make_unreadable(table).await;
        let world = world.crash_and_restart().await;
        world.quiesced().await;
        let request = Request::get(livius_http::AGENT_PATH);
        let answer = world.send_as_agent(&order, request, "connect", "").await;
        assert_eq!(answer.status, 503, "{table}: {}", answer.text);
        assert_eq!(answer.headers["retry-after"], "5");
        assert_eq!(world.launcher().running(), 1, "{table}");
    }
}

#[tokio::test]
async fn a_retention_longer_than_all_time_keeps_what_its_number_allows() {
    let limits = livius_domain::Limits {
        ended_sessions: 1,
        ended_retention: std::time::Duration::MAX,
        ..livius_domain::Limits::default()
    };
    let options = livius_testkit::WorldOptions {
        limits,
        ..livius_testkit::WorldOptions::default()
    };
    let world = World::with(options).await;
    for session in [S0, SessionId(1)] {
        world.post("/sessions", "{}").await;
        world.driver(session).await.1.exit(Exit::Code(3));
        world.await_state(session, "dead").await;
        world.clock().advance(std::time::Duration::from_secs(1));
    }
    let world = world.crash_and_restart().await;
    eventually("one is forgotten", async || {
        let listed = world.get("/sessions").await.json();
        (listed["total"] == 1).then_some(())
    })
    .await;
    assert_eq!(world.get("/sessions/1").await.json()["state"], "dead");
}

#[tokio::test]
async fn what_an_agent_said_before_its_process_ended_counts() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("x").await;
    let (id, _) = agent.expect_run().await;
    let (_, process) = world.driver(S0).await;
    agent.started(id).await;
    agent.finished(id, "the last word").await;
    process.exit(Exit::Code(0));
    world.await_state(S0, "dead").await;
    let done = world.await_statement(S0, 0, "available").await;
    assert_eq!(done["output"]["data"]["text/plain"], "the last word");
}

#[tokio::test]
async fn an_agent_that_stays_away_is_waited_for_in_words() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    agent.disconnect();
    world.quiesced().await;
    let state = world.get("/sessions/0/state").await;
    assert_eq!(state.json()["state"], "idle", "it may be back at once");
    pass(Duration::from_secs(11)).await;
    world.await_state(S0, "recovering").await;
    assert_eq!(world.run("x").await.status, 201);
    agent.reconnect(&world).await;
    assert_eq!(agent.expect_run().await.1, "x");
    world.await_state(S0, "busy").await;
}

#[tokio::test]
async fn an_event_of_another_session_changes_nothing_here() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("x").await;
    let (id, _) = agent.expect_run().await;
    let at = 1_700_000_000_100;
    let foreign = Event::Finished {
        statement: id,
        at,
        cancelled: false,
        output: Some(r#"{"status":"ok"}"#.to_owned()),
        chunks: 0,
    };
    agent.say_of(SessionId(7), foreign).await;
    agent.settled().await;
    let shown = world.get("/sessions/0/statements/0").await;
    assert_eq!(shown.json()["state"], "waiting", "{}", shown.text);
    let started = Event::Started { statement: id, at };
    agent.say_of(S0, started).await;
    agent.finished(id, "ours").await;
    let done = world.await_statement(S0, 0, "available").await;
    assert_eq!(done["output"]["data"]["text/plain"], "ours");
}

/// Two sessions, and the agent of the first.
async fn two_sessions() -> (World, ScriptedAgent) {
    let world = World::new().await;
    let agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.post("/sessions", "{}").await;
    let mut other = ScriptedAgent::connect(&world, SessionId(1)).await;
    other.ready().await;
    world.await_state(SessionId(1), "idle").await;
    (world, agent)
}

#[tokio::test]
async fn files_that_no_row_names_are_removed() {
    let (world, _agent) = two_sessions().await;
    let (first, _) = world.driver(S0).await;
    let (second, _) = world.driver(SessionId(1)).await;
    let kept = [world.dir_of(&first), world.dir_of(&second)];
    let drivers = kept[0].parent().unwrap().to_owned();
    let stray = drivers.join("b-7-aabbccddeeff");
    let foreign = drivers.join("lost+found");
    for dir in [stray.join("work"), foreign.clone()] {
        std::fs::create_dir_all(dir).unwrap();
    }
    // A row that cannot be read names its driver, too.
    world.make_unreadable("drivers").await;
    let world = world.crash_and_restart().await;
    eventually("the stray files are removed", async || {
        (!stray.exists()).then_some(())
    })
    .await;
    world.quiesced().await;
    assert!(foreign.is_dir() && kept.iter().all(|dir| dir.is_dir()));
    assert_eq!(world.launcher().running(), 2);
}

/// The row of an ended session is purged before its driver's.
#[tokio::test]
async fn a_driver_whose_session_was_purged_is_forgotten_with_its_files() {
    let (world, _agent) = two_sessions().await;
    let (order, process) = world.driver(S0).await;
    let dir = world.dir_of(&order);
    process.exit(Exit::Code(3));
    world.await_state(S0, "dead").await;
    world.quiesced().await;
    std::fs::create_dir_all(&dir).unwrap();
    world.delete_rows("sessions").await;
    let world = world.crash_and_restart().await;
    eventually("the files are removed", async || {
        (!dir.exists()).then_some(())
    })
    .await;
    eventually("the row is removed", async || {
        let row = world.stored_driver(&order.id).await;
        row.is_none().then_some(())
    })
    .await;
}

/// A store that was put back to an older state does not know of drivers that run.
#[tokio::test]
async fn a_driver_that_runs_and_that_no_record_names_is_ended() {
    let (world, _agent) = two_sessions().await;
    assert_eq!(world.launcher().running(), 2);
    for table in ["sessions", "drivers"] {
        world.delete_rows(table).await;
    }
    let world = world.crash_and_restart().await;
    eventually("the drivers are ended", async || {
        (world.launcher().running() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_panic_in_one_actor_ends_one_session() {
    for operation in ["update_statement", "update_session", "update_driver"] {
        let world = World::new().await;
        let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
        world.post("/sessions", "{}").await;
        let mut other = ScriptedAgent::connect(&world, SessionId(1)).await;
        other.ready().await;
        world.await_state(SessionId(1), "idle").await;
        world.quiesced().await;
        world.disk().panic_next(operation);
        match operation {
            "update_statement" => {
                let refused = world.run("x").await;
                assert!(refused.status.is_server_error(), "{}", refused.status);
            }
            "update_session" => {
                let refused = world.post("/sessions/0/stop", "").await;
                assert!(refused.status.is_server_error(), "{}", refused.status);
            }
            _ => agent.disconnect(),
        }
        // The agent does not stop when it is asked.
        world.quiesced().await;
        pass(Duration::from_secs(11)).await;
        world.await_state(S0, "dead").await;
        let log = world.get("/sessions/0/log?size=-1").await.text;
        assert!(
            log.contains("a fault in the server itself ended it"),
            "{operation}: {log}"
        );
        let (_, process) = world.driver(S0).await;
        assert_eq!(process.exited().await, Exit::Signal(9));
        // The server goes on, and so does the next one.
        world.await_state(SessionId(1), "idle").await;
        assert_eq!(world.post("/sessions", "{}").await.status, 201);
        let world = world.crash_and_restart().await;
        world.await_state(S0, "dead").await;
    }
}
