//! Submits many batches at once. The server must answer every POST, lose none, and stay small.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::figures::{millis, peak_memory, quantiles, report};

/// The polling interval of the list.
const LOOK: Duration = Duration::from_millis(500);

/// The page size.
const PAGE: usize = 1_000;

/// The load.
pub struct Load {
    /// The number of batches.
    pub count: usize,
    /// The application.
    pub file: String,
    /// The timeout until all have ended.
    pub limit: Duration,
}

/// Submits all batches at the same moment, and follows them to their end.
pub async fn at_once(client: Client, load: Load, pid: Option<u32>) -> Result<()> {
    let client = Arc::new(client);
    let begun = Instant::now();
    let mut posts = JoinSet::new();
    for _ in 0..load.count {
        let (client, body) = (Arc::clone(&client), json!({ "file": load.file }));
        posts.spawn(async move {
            let begun = Instant::now();
            let batch = client.post("/batches", &body).await?;
            anyhow::Ok((batch["id"].to_string(), begun.elapsed()))
        });
    }
    let (mut ids, mut times) = (Vec::new(), Vec::new());
    while let Some(post) = posts.join_next().await {
        let (id, time) = post??;
        ids.push(id);
        times.push(time);
    }
    report("batches-all-answered", millis(begun.elapsed()), "ms");
    quantiles("post-batch", &mut times);
    report(
        "post-batch-worst",
        times.last().copied().map_or(0.0, millis),
        "ms",
    );
    ids.sort_unstable();
    ids.dedup();
    ensure!(ids.len() == load.count, "some batches got the same number");
    let states = followed(&client, &ids, begun, load.limit).await?;
    report("batches-all-ended", millis(begun.elapsed()), "ms");
    for (state, count) in states {
        report(&format!("batches-{state}"), f64::from(count), "");
    }
    if let Some(pid) = pid {
        peak_memory("server-memory-peak", pid)?;
    }
    Ok(())
}

/// Waits until all have ended, and returns the number of batches in each state.
async fn followed(
    client: &Client,
    ids: &[String],
    begun: Instant,
    limit: Duration,
) -> Result<BTreeMap<String, u32>> {
    loop {
        let states = states(client).await?;
        let mut counts = BTreeMap::new();
        for id in ids {
            let Some(state) = states.get(id) else {
                bail!("batch {id} is lost");
            };
            *counts.entry(state.clone()).or_insert(0) += 1;
        }
        if !counts.contains_key("starting") && !counts.contains_key("running") {
            return Ok(counts);
        }
        ensure!(begun.elapsed() < limit, "not ended in time: {counts:?}");
        tokio::time::sleep(LOOK).await;
    }
}

/// The state of every batch that is listed.
async fn states(client: &Client) -> Result<BTreeMap<String, String>> {
    let mut states = BTreeMap::new();
    loop {
        let list = client
            .get(&format!("/batches?from={}&size={PAGE}", states.len()))
            .await?;
        let page = list["sessions"].as_array().map_or(&[][..], Vec::as_slice);
        if page.is_empty() {
            return Ok(states);
        }
        let state = |batch: &Value| batch["state"].as_str().unwrap_or("?").to_owned();
        states.extend(
            page.iter()
                .map(|batch| (batch["id"].to_string(), state(batch))),
        );
    }
}
