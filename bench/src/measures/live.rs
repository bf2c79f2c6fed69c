//! What a client sees of a statement while it runs, and what it costs to follow.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::Server;
use crate::processes::resident;
use crate::report::{Report, Unit};

/// The row of the time from a write to its arrival.
const LAG: &str = "pyspark: the code's write of a line to its arrival at the client";

/// The row of the memory of a stream.
const STREAM: &str = "memory of the server for each idle stream of events";

/// The lines of a measurement.
const LINES: usize = 30;

/// Prints the time again and again, and compares it with the time of arrival: both processes read the
/// same clock.
const CODE: &str = "import time\nfor _ in range(30):\n    print(repr(time.time()), flush=True)\n    time.sleep(0.1)";

/// Follows a statement that prints.
pub async fn lag(server: &Server, id: i64, report: &mut Report) -> Result<()> {
    let path = format!("/sessions/{id}/statements");
    let statement = server.client.post(&path, &json!({"code": CODE})).await?;
    let events = format!("/api/v1{path}/{}/events", statement["id"]);
    let Ok(mut response) = server.client.answer(&events).await else {
        report.fail(
            server.name(),
            LAG,
            Unit::Milliseconds,
            "it shows output at the end only",
        );
        return Ok(());
    };
    let mut text = String::new();
    let mut seen = 0;
    while let Some(piece) = response.chunk().await? {
        let now = now()?;
        text.push_str(std::str::from_utf8(&piece)?);
        while let Some((event, rest)) = text.split_once("\n\n") {
            for line in printed(event) {
                let written: f64 = line.trim().parse().context("a time")?;
                let lag = Duration::from_secs_f64((now - written).max(0.0));
                report.time(server.name(), LAG, lag);
                seen += 1;
            }
            text = String::from(rest);
        }
    }
    ensure!(
        seen == LINES,
        "{seen} of {LINES} lines came while the code ran"
    );
    Ok(())
}

/// The time in seconds since 1970, as the code prints it.
#[expect(
    clippy::disallowed_methods,
    reason = "it is compared with the time of another process"
)]
fn now() -> Result<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64())
}

/// The lines that an event has.
fn printed(event: &str) -> Vec<String> {
    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
    let data: Value = data
        .and_then(|data| serde_json::from_str(data).ok())
        .unwrap_or_default();
    let text = data["text"].as_str().unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Opens many streams at which nothing happens.
pub async fn streams(server: &Server, count: usize, report: &mut Report) -> Result<()> {
    let Some(pid) = server.target.pid else {
        return Ok(());
    };
    let id = server.client.create("pyspark").await?;
    server.client.await_idle(id).await?;
    let path = format!("/api/v1/sessions/{id}/events");
    if server.client.answer(&path).await.is_err() {
        report.fail(server.name(), STREAM, Unit::Kibibytes, "it has none");
        return server.client.delete(id).await;
    }
    let before = resident(pid)?;
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        let mut response = server.client.answer(&path).await?;
        response.chunk().await?.context("a first event")?;
        open.push(response);
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let each = (resident(pid)? - before) * 1024.0 / count as f64;
    report.add(server.name(), STREAM, Unit::Kibibytes, each);
    drop(open);
    server.client.delete(id).await
}
