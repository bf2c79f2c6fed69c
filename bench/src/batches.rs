//! Submits many batches at once. The server must answer every POST, lose none, and stay small.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::arguments::Load;
use crate::client::Client;
use crate::processes::{peak, resident};
use crate::report::{Report, Unit};
use crate::tell;

/// The polling interval of the list.
const LOOK: Duration = Duration::from_millis(500);

/// The page size.
const PAGE: usize = 1_000;

/// Submits all batches at the same moment, follows them to their end, and prints the figures.
pub async fn at_once(load: &Load) -> Result<()> {
    let mut report = Report::new(vec![load.server.name.clone()]);
    match load.server.pid {
        None => measure(load, &mut report).await?,
        Some(pid) => {
            let before = resident(pid)?;
            let (done, most) = peak(pid, measure(load, &mut report)).await?;
            done?;
            let name = &load.server.name;
            report.add(
                name,
                "memory of the server, before",
                Unit::Mebibytes,
                before,
            );
            report.add(
                name,
                "memory of the server, at its peak",
                Unit::Mebibytes,
                most,
            );
        }
    }
    report.finish();
    tell(&report.table());
    Ok(())
}

async fn measure(load: &Load, report: &mut Report) -> Result<()> {
    let client = Client::new(&load.server.url)?;
    let name = &load.server.name;
    let begun = Instant::now();
    let mut posts = JoinSet::new();
    for _ in 0..load.count {
        let (client, body) = (client.clone(), json!({ "file": load.file }));
        posts.spawn(async move {
            let begun = Instant::now();
            let batch = client.post("/batches", &body).await?;
            anyhow::Ok((batch["id"].to_string(), begun.elapsed()))
        });
    }
    let mut ids = Vec::new();
    while let Some(post) = posts.join_next().await {
        let (id, time) = post??;
        ids.push(id);
        report.time(name, "time of each POST", time);
    }
    report.time(name, "all POSTs answered", begun.elapsed());
    ids.sort_unstable();
    ids.dedup();
    ensure!(ids.len() == load.count, "some batches got the same number");
    let limit = Duration::from_secs(load.limit_s);
    let states = followed(&client, &ids, begun, limit).await?;
    report.time(name, "all batches ended", begun.elapsed());
    for (state, count) in states {
        tell(&format!("{count} of {} {state}", load.count));
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
