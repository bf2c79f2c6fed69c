//! Ended batches.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use livius_bench::samples::Samples;
use livius_bench::{note, tell};
use livius_domain::{BatchId, Exit, Limits};
use livius_testkit::{World, WorldOptions};

/// How many batches are made at once.
const AT_ONCE: usize = 64;

const PAGE: usize = 100;

pub async fn measure(count: usize) {
    let limits = Limits {
        ended_batches: count,
        running_batches: AT_ONCE,
        concurrent_batch_starts: AT_ONCE,
        ..Limits::default()
    };
    let world = World::with(WorldOptions {
        limits,
        ..WorldOptions::default()
    })
    .await;
    note("running batches");
    let begun = Instant::now();
    stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, async |_| ended(&world).await)
        .await;
    tell(&format!("{count} batches ended: {:?}", begun.elapsed()));
    let begun = Instant::now();
    let world = world.crash_and_restart().await;
    let opened = begun.elapsed();
    let first = time(&world, "/batches?from=0&size=10").await;
    tell(&format!(
        "the next server: open after {opened:?}, first list after {first:?} more"
    ));
    for from in [0, count / 2, count - PAGE] {
        let mut times = Vec::new();
        for _ in 0..200 {
            let path = format!("/batches?from={from}&size={PAGE}");
            times.push(time(&world, &path).await.as_secs_f64() * 1e3);
        }
        let times: Samples = times.into_iter().collect();
        tell(&format!(
            "{PAGE} batches from {from}: p50 {:.2} ms, p99 {:.2} ms",
            times.median().unwrap(),
            times.quantile(0.99).unwrap(),
        ));
    }
}

async fn ended(world: &World) {
    let body = r#"{"file":"hdfs://jobs/a.jar","className":"com.example.Main","args":["1","2"]}"#;
    let answer = world.post("/batches", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let id = answer.json()["id"].as_i64().unwrap();
    let id = BatchId(i32::try_from(id).unwrap());
    let (_, process) = world.batch_process(id).await;
    process.exit(Exit::Code(0));
    world.await_batch(id, "success").await;
}

async fn time(world: &World, path: &str) -> Duration {
    let begun = Instant::now();
    let answer = world.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    begun.elapsed()
}
