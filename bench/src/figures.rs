//! The figures that need nothing but HTTP.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::client::Client;

/// The number of requests in rate measurements.
const REQUESTS: u32 = 5_000;

/// One session of a kind: its start, its first statement, small statements, statements in sequence, reading it.
pub async fn kind(client: &Client, kind: &str, statements: usize) -> Result<()> {
    let begun = Instant::now();
    let (id, posted) = client.create(kind).await?;
    report(&format!("{kind}-post-session"), millis(posted), "ms");
    client.await_idle(id).await?;
    report(&format!("{kind}-cold-start"), millis(begun.elapsed()), "ms");
    report(
        &format!("{kind}-first-statement"),
        millis(client.run(id, "1+1").await?),
        "ms",
    );
    let mut times = Vec::new();
    let all = Instant::now();
    for _ in 0..statements {
        times.push(client.run(id, "1+1").await?);
    }
    let per_second = f64::from(u32::try_from(statements)?) / all.elapsed().as_secs_f64();
    quantiles(&format!("{kind}-1+1"), &mut times);
    report(&format!("{kind}-statements-in-sequence"), per_second, "/s");
    read_rate(client, kind, id).await?;
    client.delete(id).await
}

async fn read_rate(client: &Client, kind: &str, id: i64) -> Result<()> {
    let path = format!("/sessions/{id}");
    let mut times = Vec::new();
    let all = Instant::now();
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        client.get(&path).await?;
        times.push(begun.elapsed());
    }
    quantiles(&format!("{kind}-get-session"), &mut times);
    report(
        &format!("{kind}-get-session-one-connection"),
        f64::from(REQUESTS) / all.elapsed().as_secs_f64(),
        "/s",
    );
    Ok(())
}

/// POST /sessions while others start.
pub async fn creation(client: &Client) -> Result<()> {
    let mut times = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..20 {
        let (id, posted) = client.create("sql").await?;
        times.push(posted);
        ids.push(id);
    }
    quantiles("post-session-while-20-start", &mut times);
    for id in ids {
        client.delete(id).await?;
    }
    Ok(())
}

/// Resident memory of a process.
pub fn memory(name: &str, pid: u32) -> Result<()> {
    status(name, pid, "VmRSS")
}

/// The peak resident memory of a process.
pub fn peak_memory(name: &str, pid: u32) -> Result<()> {
    status(name, pid, "VmHWM")
}

fn status(name: &str, pid: u32, figure: &str) -> Result<()> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .context("read the server's memory")?;
    let line = status
        .lines()
        .find(|line| line.starts_with(figure))
        .with_context(|| format!("no {figure}"))?;
    let kilobytes: f64 = line
        .split_whitespace()
        .nth(1)
        .context("no figure")?
        .parse()?;
    report(name, kilobytes / 1024.0, "MiB");
    Ok(())
}

/// Reports the median and the 99th percentile; leaves the times sorted.
pub fn quantiles(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    report(&format!("{name}-p50"), millis(at(50)), "ms");
    report(&format!("{name}-p99"), millis(at(99)), "ms");
}

/// A time in milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Prints one figure.
#[expect(clippy::print_stdout, reason = "the figures are the program's result")]
pub fn report(name: &str, value: f64, unit: &str) {
    println!("{name:44} {value:10.2} {unit}");
}
