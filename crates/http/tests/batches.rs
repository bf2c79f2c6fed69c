//! Batches in a complete application without Spark: every response, every end, every fault that a
//! test can cause.

mod answers;
mod deleting;
mod ended;
mod ends;
mod executors;
mod full_disk;
mod local_files;
mod logs;
mod queue;
mod recovery;
mod refusals;
mod reports;
mod shutdown;

use livius_domain::{BatchId, Limits};
use livius_testkit::DriverOrder;
use livius_testkit::{FakeProcess, World, eventually};

const B0: BatchId = BatchId(0);
const B1: BatchId = BatchId(1);
const B2: BatchId = BatchId(2);

/// A request whose file is not on this machine, so no check looks for it.
const APP: &str = r#"{"file":"hdfs://h/app.py"}"#;

/// An agent's report of an application.
const REPORT: &str = r#"{"v":1,"appId":"local-7","sparkUiUrl":"http://127.0.0.1:4040"}"#;

/// A world with these limits for starting and running batches.
async fn world_of(starting: usize, running: usize) -> World {
    World::limited(Limits {
        concurrent_batch_starts: starting,
        running_batches: running,
        ..Limits::default()
    })
    .await
}

/// Creates a batch.
async fn submit(world: &World, request: &str) -> BatchId {
    let created = world.post("/batches", request).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let id = created.json()["id"].as_i64();
    BatchId(id.and_then(|id| id.try_into().ok()).expect("a number"))
}

/// Creates a batch whose application has reported that it runs.
async fn run(world: &World, request: &str) -> (DriverOrder, FakeProcess) {
    let id = submit(world, request).await;
    let (order, process) = world.batch_process(id).await;
    assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    world.await_batch(id, "running").await;
    (order, process)
}

/// Waits until so many batches were launched, and returns their orders.
async fn started(world: &World, count: usize) -> Vec<i32> {
    eventually(&format!("{count} batches are started"), async || {
        let started = world.launcher().started_batches();
        (started.len() >= count).then(|| started.iter().map(|id| id.0).collect())
    })
    .await
}

async fn detail(world: &World, batch: BatchId) -> serde_json::Value {
    let answer = world.get(&format!("/api/v1/batches/{batch}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Returns the whole log as one text.
async fn log_of(world: &World, batch: BatchId) -> String {
    let answer = world.get(&format!("/batches/{batch}/log?size=-1")).await;
    let lines = answer.json()["log"].clone();
    let lines: Vec<String> = serde_json::from_value(lines).expect("a list of lines");
    lines.join("\n")
}

async fn total(world: &World) -> i64 {
    let list = world.get("/batches").await.json();
    list["total"].as_i64().expect("a number")
}
