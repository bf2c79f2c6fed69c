//! Pools of drivers in a whole application without Spark.

mod default;
mod hits;
mod keeping;
mod limits;
mod misses;
mod restart;
mod users;

use std::time::Duration;

use livius_agent_link::{Command, Event};
use livius_domain::pool::{Level, Template};
use livius_domain::{Kind, SessionId, SessionRequest};
use livius_sessions::PoolSettings;
use livius_testkit::{DriverOrder, FakeProcess, ScriptedAgent, World, WorldOptions, eventually};
use serde_json::Value;

const S0: SessionId = SessionId(0);
const ANY: &str = r#"{"kind":"pyspark"}"#;
const GIB: u64 = 1 << 30;

/// A pool that keeps one driver for pyspark.
fn template(name: &str, level: Level) -> Template {
    Template {
        name: name.to_owned(),
        level,
        request: SessionRequest {
            kind: Kind::PySpark,
            ..SessionRequest::default()
        },
        user: None,
        users: Vec::new(),
        groups: Vec::new(),
        min: 1,
        max: 1,
        max_age: Duration::from_hours(1),
        hours: None,
    }
}

/// The options of a world with these pools.
fn options(templates: Vec<Template>) -> WorldOptions {
    WorldOptions {
        pools: Some(PoolSettings {
            templates,
            settling: Duration::from_millis(1),
            ..PoolSettings::default()
        }),
        ..WorldOptions::default()
    }
}

async fn world_of(templates: Vec<Template>) -> World {
    World::with(options(templates)).await
}

/// The driver of a pool that runs and has no agent yet, once there is one.
async fn launched(world: &World, known: &[&ScriptedAgent]) -> (DriverOrder, FakeProcess) {
    eventually("a pool's driver is launched", async || {
        let drivers = world.launcher().of_pools();
        let mut new = drivers
            .into_iter()
            .filter(|(order, process)| {
                process.is_running() && known.iter().all(|agent| *agent.driver() != order.id)
            })
            .collect::<Vec<_>>();
        new.pop()
    })
    .await
}

/// Lets the next driver of a pool come up and wait.
async fn waiting(world: &World, level: Level, known: &[&ScriptedAgent]) -> ScriptedAgent {
    let (order, process) = launched(world, known).await;
    let before = states(world)
        .await
        .iter()
        .filter(|it| *it == "waiting")
        .count();
    let mut agent = ScriptedAgent::of(world, &order, process).await;
    match level {
        Level::Ready => agent.ready().await,
        Level::Primed => agent.say(Event::Primed).await,
    }
    eventually("the driver waits", async || {
        let states = states(world).await;
        (states.iter().filter(|it| *it == "waiting").count() > before).then_some(())
    })
    .await;
    agent
}

/// The pools as the server shows them.
async fn pools(world: &World) -> Value {
    let answer = world.get("/api/v1/pools").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["pools"].clone()
}

/// The states of all drivers of the pools.
async fn states(world: &World) -> Vec<String> {
    let pools = pools(world).await;
    let pools = pools.as_array().unwrap().iter();
    let drivers = pools.flat_map(|pool| pool["drivers"].as_array().unwrap().clone());
    drivers
        .map(|driver| driver["state"].as_str().unwrap().to_owned())
        .collect()
}

/// Waits until the first pool shows this.
async fn await_pool(world: &World, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || {
        let pool = pools(world).await[0].clone();
        is_so(&pool).then_some(pool)
    })
    .await
}

/// What the pools did for a session.
async fn start_of(world: &World, session: SessionId) -> Value {
    let answer = world.get(&format!("/api/v1/sessions/{session}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["start"]["pool"].clone()
}

/// Posts a session while its driver's agent answers that it has begun.
async fn post_to(world: &World, agent: &mut ScriptedAgent, request: &str) -> (Value, Command) {
    let (answer, begin) = tokio::join!(world.post("/sessions", request), async {
        let begin = agent.command().await;
        agent.say(Event::Begun { error: None }).await;
        begin
    });
    assert_eq!(answer.status, 201, "{}", answer.text);
    (answer.json(), begin)
}

async fn log_of(world: &World, session: SessionId) -> String {
    let answer = world.get(&format!("/sessions/{session}/log?size=-1")).await;
    answer.json()["log"].to_string()
}

/// Lets seconds pass, in each of which the keeper looks at its pools.
async fn the_keeper_passes(seconds: u32) {
    tokio::time::pause();
    for _ in 0..seconds {
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::resume();
}
