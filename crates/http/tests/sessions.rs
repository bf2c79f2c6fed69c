//! The ends of sessions, and their place in the queue, in a whole application without Spark.

mod deleting;
mod ended;
mod full_disk;
mod queue;
mod shutdown;
mod sighted;

use livius_domain::{Exit, Limits, SessionId};
use livius_testkit::{ScriptedAgent, World, eventually};

const S0: SessionId = SessionId(0);
const S1: SessionId = SessionId(1);
const S2: SessionId = SessionId(2);

/// A request for a session.
const ANY: &str = r#"{"kind":"pyspark"}"#;

/// A world that starts so many sessions at once.
async fn world_of(concurrent_starts: usize) -> World {
    World::limited(Limits {
        concurrent_starts,
        ..Limits::default()
    })
    .await
}

/// Creates a session.
async fn create(world: &World, request: &str) -> SessionId {
    let created = world.post("/sessions", request).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let id = created.json()["id"].as_i64();
    SessionId(id.and_then(|id| id.try_into().ok()).expect("a number"))
}

/// Lets a session's agent connect and say that it is ready.
async fn ready(world: &World, id: SessionId) -> ScriptedAgent {
    let mut agent = ScriptedAgent::connect(world, id).await;
    agent.ready().await;
    world.await_state(id, "idle").await;
    agent
}

/// The sessions below a number whose drivers were launched.
fn launched(world: &World, below: i32) -> Vec<i32> {
    let is_launched = |id: &i32| world.launcher().driver_of(SessionId(*id)).is_some();
    (0..below).filter(is_launched).collect()
}

/// Waits until exactly these sessions below a number are launched.
async fn await_launched(world: &World, below: i32, expected: &[i32]) {
    eventually(&format!("{expected:?} are launched"), async || {
        (launched(world, below) == expected).then_some(())
    })
    .await;
}

/// Waits until a session's driver is gone, and says how it ended.
async fn driver_end(world: &World, id: SessionId) -> Exit {
    world.driver(id).await.1.exited().await
}

/// Waits until a session has ended. A driver that stops when it is asked leaves it `dead`, one that
/// is ended by force leaves it `killed`.
async fn await_ended(world: &World, id: SessionId) {
    eventually(&format!("session {id} has ended"), async || {
        let answer = world.get(&format!("/sessions/{id}/state")).await.json();
        ["dead", "killed"]
            .iter()
            .any(|state| answer["state"] == *state)
            .then_some(())
    })
    .await;
}

/// The whole log as one text.
async fn log_of(world: &World, id: SessionId) -> String {
    let answer = world.get(&format!("/sessions/{id}/log?size=-1")).await;
    let lines = answer.json()["log"].clone();
    let lines: Vec<String> = serde_json::from_value(lines).expect("a list of lines");
    lines.join("\n")
}

async fn total(world: &World) -> i64 {
    let list = world.get("/sessions").await.json();
    list["total"].as_i64().expect("a number")
}
