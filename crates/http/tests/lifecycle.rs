//! Sessions from creation to end with scripted drivers, in cases that a test cannot cause with real
//! Spark.

use std::time::Duration;

use livius_domain::duration::FOREVER;
use livius_domain::{Exit, Limits, SessionId};
use livius_testkit::{ScriptedAgent, World, WorldOptions, eventually};

const S0: SessionId = SessionId(0);

#[tokio::test]
async fn a_session_starts_runs_and_is_deleted() {
    let world = World::new().await;
    let created = world
        .post("/sessions", r#"{"kind":"pyspark","name":"mine"}"#)
        .await;
    assert_eq!(created.status, 201);
    assert_eq!(created.headers["location"], "/sessions/0");
    assert_eq!(created.json()["state"], "starting");
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    world.await_state(S0, "starting").await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
    let shown = world.get("/sessions/mine").await.json();
    assert_eq!(shown["appId"], "local-1");
    assert_eq!(shown["appInfo"]["sparkUiUrl"], "http://127.0.0.1:4040");

    let (_, process) = world.driver(S0).await;
    let stopping = async {
        assert_eq!(agent.command().await, livius_agent_link::Command::Stop);
        process.exit(Exit::Code(0));
    };
    let (deleted, ()) = tokio::join!(world.delete("/sessions/mine"), stopping);
    assert_eq!(
        (deleted.status.as_u16(), deleted.text.as_str()),
        (200, r#"{"msg":"deleted"}"#)
    );
    let gone = world.get("/sessions/0").await;
    assert_eq!(
        (gone.status.as_u16(), gone.text.as_str()),
        (404, r#"{"msg":"Session '0' not found."}"#)
    );
    assert_eq!(world.get("/sessions").await.json()["total"], 0);
    assert_eq!(world.launcher().running(), 0);
}

#[tokio::test]
async fn a_driver_that_does_not_stop_is_made_to() {
    let options = WorldOptions {
        limits: Limits {
            stop_grace: Duration::from_millis(50),
            ..Limits::default()
        },
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    let _deaf = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    assert_eq!(world.post("/sessions/0/stop", "").await.status, 204);
    world.await_state(S0, "killed").await;
    assert_eq!(world.launcher().running(), 0);
}

#[tokio::test]
async fn a_driver_that_dies_leaves_its_reason_and_its_results() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    for code in ["1", "2", "3"] {
        world.run(code).await;
    }
    let (first, _) = agent.expect_run().await;
    agent.finished(first, "one").await;
    let (second, _) = agent.expect_run().await;
    agent.started(second).await;
    world.await_statement(S0, 1, "running").await;
    world.driver(S0).await.1.exit(Exit::Signal(9));
    world.await_state(S0, "dead").await;

    let first = world.await_statement(S0, 0, "available").await;
    assert_eq!(first["output"]["data"]["text/plain"], "one");
    let second = world.await_statement(S0, 1, "available").await;
    assert_eq!(second["output"]["status"], "error");
    assert!(
        second["output"]["evalue"]
            .as_str()
            .unwrap()
            .contains("signal 9"),
        "{second}"
    );
    world.await_statement(S0, 2, "cancelled").await;
    let log = world.get("/sessions/0/log?size=-1").await.json()["log"].to_string();
    assert!(
        log.contains("livius: the driver ended by itself with signal 9"),
        "{log}"
    );
    let refused = world.run("4").await;
    assert_eq!(
        (refused.status.as_u16(), refused.text.as_str()),
        (
            500,
            r#""java.lang.IllegalStateException: Session is in state dead""#
        )
    );
}

#[tokio::test]
async fn a_launch_that_fails_says_why() {
    let world = World::new().await;
    world.launcher().refuse("no Java anywhere");
    assert_eq!(world.post("/sessions", "{}").await.status, 201);
    world.await_state(S0, "dead").await;
    let log = world.get("/sessions/0/log").await.json()["log"].to_string();
    assert!(log.contains("no Java anywhere"), "{log}");
}

#[tokio::test]
async fn a_start_takes_its_turn_and_may_be_stopped_before_it_comes() {
    let options = WorldOptions {
        limits: Limits {
            concurrent_starts: 1,
            ..Limits::default()
        },
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    for _ in 0..3 {
        assert_eq!(
            world.post("/sessions", r#"{"kind":"sql"}"#).await.status,
            201
        );
    }
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    assert_eq!(world.launcher().running(), 1);
    assert_eq!(world.delete("/sessions/1").await.status, 200);
    agent.ready().await;
    world.driver(SessionId(2)).await;
    assert!(world.launcher().driver_of(SessionId(1)).is_none());
    world.await_state(SessionId(2), "starting").await;
}

#[tokio::test]
async fn more_sessions_than_the_limit_are_refused_and_leave_nothing() {
    let options = WorldOptions {
        limits: Limits {
            live_sessions: 1,
            ..Limits::default()
        },
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    assert_eq!(world.post("/sessions", "{}").await.status, 201);
    let refused = world.post("/sessions", "{}").await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.text,
        r#"{"msg":"Rejected, too many sessions are being created!"}"#
    );
    assert_eq!(world.get("/sessions").await.json()["total"], 1);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let world = World::new().await;
    assert_eq!(world.post("/sessions", r#"{"name":"n"}"#).await.status, 201);
    let refused = world.post("/sessions", r#"{"name":"n"}"#).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.text,
        r#"{"msg":"Rejected, Reason: Duplicate session name: Some(n) for session 1"}"#
    );
    world.driver(S0).await.1.exit(Exit::Code(1));
    world.await_state(S0, "dead").await;
    assert_eq!(world.get("/sessions/n").await.json()["id"], 0);
    assert_eq!(
        world.post("/sessions", r#"{"name":"n"}"#).await.json()["id"],
        2
    );
}

#[tokio::test]
async fn time_runs_out_for_the_idle_and_not_for_the_busy() {
    let world = World::new().await;
    world
        .post("/sessions", r#"{"kind":"pyspark","idleTimeout":"10m"}"#)
        .await;
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
    world.run("work()").await;
    let (id, _) = agent.expect_run().await;
    // When a second idle session has ended, the janitor has run.
    world.post("/sessions", r#"{"kind":"pyspark"}"#).await;
    let mut neighbour = ScriptedAgent::connect(&world, SessionId(1)).await;
    neighbour.ready().await;
    world.await_state(SessionId(1), "idle").await;
    world.clock().advance(Duration::from_hours(2));
    assert_eq!(neighbour.command().await, livius_agent_link::Command::Stop);
    world.await_state(S0, "busy").await;

    agent.finished(id, "").await;
    world.await_state(S0, "idle").await;
    world.clock().advance(Duration::from_mins(11));
    assert_eq!(agent.command().await, livius_agent_link::Command::Stop);
    world.driver(S0).await.1.exit(Exit::Code(0));
    // The reason and the log can still be read.
    world.await_state(S0, "dead").await;
    let log = world.get("/sessions/0/log").await.json()["log"].to_string();
    assert!(
        log.contains("idle for longer than its idleTimeout"),
        "{log}"
    );
}

#[tokio::test]
async fn a_heartbeat_is_any_request_that_names_the_session() {
    let world = World::new().await;
    world
        .post("/sessions", r#"{"heartbeatTimeoutInSecond":5}"#)
        .await;
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
    for _ in 0..3 {
        world.clock().advance(Duration::from_secs(4));
        assert_eq!(world.get("/sessions/0/state").await.status, 200);
    }
    world.clock().advance(Duration::from_secs(6));
    assert_eq!(agent.command().await, livius_agent_link::Command::Stop);
}

#[tokio::test]
async fn a_lifetime_ends_whatever_the_session_does() {
    let world = World::new().await;
    world.post("/sessions", r#"{"ttl":"1h"}"#).await;
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
    world.clock().advance(Duration::from_mins(61));
    assert_eq!(agent.command().await, livius_agent_link::Command::Stop);
}

#[tokio::test]
async fn a_start_that_hangs_is_given_up_with_a_reason() {
    let world = World::new().await;
    world.post("/sessions", "{}").await;
    let (_, process) = world.driver(S0).await;
    world.clock().advance(Duration::from_mins(11));
    assert_eq!(process.exited().await, Exit::Signal(9));
    world.await_state(S0, "dead").await;
    let log = world.get("/sessions/0/log").await.json()["log"].to_string();
    assert!(log.contains("not ready within the time allowed"), "{log}");
}

#[tokio::test]
async fn a_heartbeat_that_stops_ends_the_session_and_takes_it_off_the_list() {
    let world = World::new().await;
    world
        .post("/sessions", r#"{"heartbeatTimeoutInSecond":5}"#)
        .await;
    let (_, process) = world.driver(S0).await;
    world.clock().advance(Duration::from_secs(6));
    assert_eq!(process.exited().await, Exit::Signal(9));
    eventually("the session is gone", async || {
        (world.get("/sessions").await.json()["total"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn as_many_sessions_live_as_may_however_they_are_asked_for() {
    let options = WorldOptions {
        limits: Limits {
            live_sessions: 5,
            ..Limits::default()
        },
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    let asked = (0..20).map(|_| world.post("/sessions", "{}"));
    let answers = futures_util::future::join_all(asked).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 5);
    assert_eq!(world.get("/sessions").await.json()["total"], 5);
    world.delete("/sessions/0").await;
    assert_eq!(world.post("/sessions", "{}").await.status, 201);
}

#[tokio::test]
async fn a_client_that_hangs_up_while_it_creates_leaves_nothing_half_done() {
    let world = World::new().await;
    let mut asked = Box::pin(world.post("/sessions", r#"{"name":"left"}"#));
    let polled = futures_util::poll!(asked.as_mut());
    assert!(polled.is_pending());
    drop(asked);
    eventually("the session is whole", async || {
        (world.launcher().running() == 1).then_some(())
    })
    .await;
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
}

/// The longest durations that settings and requests accept: nothing overflows, and nothing ends
/// early or is forgotten.
#[tokio::test]
async fn durations_longer_than_the_calendar_mean_never() {
    let limits = Limits {
        start_timeout: FOREVER,
        stop_grace: FOREVER,
        link_grace: FOREVER,
        idle_timeout: FOREVER,
        session_ttl: Some(FOREVER),
        ended_retention: FOREVER,
        ended_batch_retention: FOREVER,
        batch_grace: FOREVER,
        ..Limits::default()
    };
    let options = WorldOptions {
        limits,
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    let longest = format!("{}us", u64::MAX);
    let request = format!(r#"{{"kind":"sql","ttl":"{longest}","idleTimeout":"{longest}"}}"#);
    let mut agent = world.idle_session(&request).await;
    assert_eq!(
        world
            .post("/batches", r#"{"file":"hdfs://h/a"}"#)
            .await
            .status,
        201
    );
    world
        .clock()
        .advance(Duration::from_hours(24 * 365 * 1_000));
    // The server looks at the time, and at its history, when it starts.
    agent.disconnect();
    let world = world.crash_and_restart().await;
    agent.reconnect(&world).await;
    world.await_state(S0, "idle").await;
    let (_, process) = world.driver(S0).await;
    let stopping = async {
        assert_eq!(agent.command().await, livius_agent_link::Command::Stop);
        process.exit(Exit::Code(0));
    };
    let (stopped, ()) = tokio::join!(world.post("/sessions/0/stop", ""), stopping);
    assert_eq!(stopped.status, 204);
    let world = world.crash_and_restart().await;
    assert_eq!(world.get("/sessions").await.json()["total"], 1);
    assert_eq!(world.get("/batches").await.json()["total"], 1);
}
