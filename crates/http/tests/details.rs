//! `GET /api/v1/sessions/{id}` and `/api/v1/batches/{id}`: what the server knows besides the record.

use std::time::Duration;

use livius_domain::{Limits, SessionId};
use livius_testkit::{ScriptedAgent, World, WorldOptions};
use serde_json::{Value, json};

const S0: SessionId = SessionId(0);
const ANY: &str = r#"{"kind":"pyspark"}"#;

async fn session(world: &World, id: i32) -> Value {
    let answer = world.get(&format!("/api/v1/sessions/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// The phases with their seconds.
fn phases(session: &Value) -> Vec<(&str, Option<f64>)> {
    let phases = session["start"]["phases"].as_array().unwrap();
    phases
        .iter()
        .map(|step| (step["phase"].as_str().unwrap(), step["seconds"].as_f64()))
        .collect()
}

fn last_phase(session: &Value) -> &str {
    phases(session).last().unwrap().0
}

#[tokio::test]
async fn the_phases_of_a_start_have_times() {
    let world = World::new().await;
    world.launcher().hold(true);
    assert_eq!(world.post("/sessions", ANY).await.status, 201);
    world.quiesced().await;
    assert_eq!(last_phase(&session(&world, 0).await), "launching");
    world.clock().advance(Duration::from_secs(2));
    world.launcher().hold(false);
    world.quiesced().await;
    assert_eq!(last_phase(&session(&world, 0).await), "connecting");
    world.clock().advance(Duration::from_secs(3));
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    world.quiesced().await;
    assert_eq!(last_phase(&session(&world, 0).await), "context");
    world.clock().advance(Duration::from_secs(4));
    agent.context_up().await;
    agent.settled().await;
    let known = session(&world, 0).await;
    assert_eq!(last_phase(&known), "interpreter");
    // The application is known before the interpreter is up.
    assert_eq!(known["state"], "starting");
    assert_eq!(known["appId"], "local-1");
    world.clock().advance(Duration::from_secs(1));
    agent.ready().await;
    agent.settled().await;
    world.await_state(S0, "idle").await;
    let expected = [
        ("queued", Some(0.0)),
        ("launching", Some(2.0)),
        ("connecting", Some(3.0)),
        ("context", Some(4.0)),
        ("interpreter", Some(1.0)),
        ("ready", None),
    ];
    let known = session(&world, 0).await;
    assert_eq!(phases(&known), expected);

    // The same is told after a crash of the server, and of the session when it has ended.
    let world = world.crash_and_restart().await;
    assert_eq!(phases(&session(&world, 0).await), expected);
    assert_eq!(world.post("/sessions/0/stop", "").await.status, 204);
    world.launcher().driver_of(S0).unwrap().1.exited().await;
    world.await_state(S0, "killed").await;
    let ended = session(&world, 0).await;
    assert_eq!(phases(&ended), expected);
    assert_eq!(ended["expires"], Value::Null);
}

#[tokio::test]
async fn those_that_wait_know_their_place() {
    let limits = Limits {
        concurrent_starts: 1,
        concurrent_batch_starts: 1,
        ..Limits::default()
    };
    let world = World::limited(limits).await;
    world.launcher().hold(true);
    for _ in 0..3 {
        assert_eq!(world.post("/sessions", ANY).await.status, 201);
        let batch = world.post("/batches", r#"{"file":"local:/a.py"}"#).await;
        assert_eq!(batch.status, 201);
    }
    world.quiesced().await;
    let place = async |path: String| world.get(&path).await.json()["queue"].clone();
    for kind in ["sessions", "batches"] {
        let places = async |id: i32| place(format!("/api/v1/{kind}/{id}")).await;
        assert_eq!(places(0).await, Value::Null, "{kind}: it starts");
        assert_eq!(places(1).await, json!({"position": 1, "length": 2}));
        assert_eq!(places(2).await, json!({"position": 2, "length": 2}));
    }
    assert_eq!(phases(&session(&world, 2).await), [("queued", None)]);
    world.launcher().hold(false);
}

#[tokio::test]
async fn the_end_of_a_sessions_time_is_told() {
    let limits = Limits {
        idle_timeout: Duration::from_mins(10),
        start_timeout: Duration::from_mins(5),
        ..Limits::default()
    };
    let world = World::limited(limits).await;
    let expires = async |session_id: i32| session(&world, session_id).await["expires"].clone();
    assert_eq!(
        world
            .post("/sessions", r#"{"kind":"pyspark","ttl":"1h"}"#)
            .await
            .status,
        201
    );
    world.quiesced().await;
    assert_eq!(expires(0).await["cause"], "start_timeout");
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    agent.settled().await;
    world.await_state(S0, "idle").await;
    let told = expires(0).await;
    assert_eq!(told["cause"], "idle_timeout");
    // A busy session is not idle, and ends of age.
    world.run("1").await;
    let (statement, _) = agent.expect_run().await;
    agent.started(statement).await;
    assert_eq!(expires(0).await["cause"], "ttl");
    agent.finished(statement, "1").await;
    world.await_statement(S0, 0, "available").await;
    // The session ends at the time that was told.
    let at: jiff::Timestamp = expires(0).await["at"].as_str().unwrap().parse().unwrap();
    world.clock().advance(Duration::from_mins(10));
    let now = livius_domain::Clock::now(world.clock());
    assert!(now >= at, "{now} {at}");
    world.clock().advance(Duration::from_millis(1));
    world.await_state(S0, "shutting_down").await;
}

#[tokio::test]
async fn the_configuration_is_shown_without_secrets() {
    let world = World::with(WorldOptions::default()).await;
    let request = r#"{"kind":"pyspark","driverMemory":"2g","conf":{"spark.my.password":"hunter2","spark.x":"y"}}"#;
    assert_eq!(world.post("/sessions", request).await.status, 201);
    let batch = r#"{"file":"local:/a.py","conf":{"spark.my.token":"hunter2"}}"#;
    assert_eq!(world.post("/batches", batch).await.status, 201);
    let shown = session(&world, 0).await;
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
    let conf = &shown["configuration"];
    assert_eq!(conf["spark.driver.memory"], "2g");
    assert_eq!(conf["spark.x"], "y");
    assert_eq!(conf["spark.app.name"], "livy-session-0");
    assert_eq!(shown["links"]["events"], "/api/v1/sessions/0/events");
    let batch = world.get("/api/v1/batches/0").await;
    assert!(!batch.text.contains("hunter2"), "{}", batch.text);
    assert!(batch.json()["configuration"]["spark.my.token"].is_string());
    assert_eq!(batch.json()["links"]["log"], "/batches/0/log");
    // A list leaves this out.
    for list in ["sessions", "batches"] {
        let page = world.get(&format!("/api/v1/{list}")).await.json();
        assert!(page[list][0].get("configuration").is_none(), "{page}");
        assert!(page[list][0]["start"].get("phases").is_none(), "{page}");
    }
}
