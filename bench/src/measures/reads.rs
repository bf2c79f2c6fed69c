//! Reads of one session on many connections at once.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::Server;
use super::session::Live;
use crate::processes::own_cpu;
use crate::report::{Report, Unit};

const CONNECTIONS: usize = 16;

/// Reads a session for that time.
pub async fn session(
    server: &Server,
    live: &Live,
    time: Duration,
    report: &mut Report,
) -> Result<()> {
    let path = format!("/sessions/{}", live.id);
    let cpu_before = own_time(server);
    let begun = Instant::now();
    let mut readers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (client, path) = (server.client.clone(), path.clone());
        readers.spawn(async move {
            let mut times = Vec::new();
            while begun.elapsed() < time {
                let begun = Instant::now();
                client.read(&path).await?;
                times.push(begun.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(read) = readers.join_next().await {
        times.extend(read??);
    }
    let elapsed = begun.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let count = times.len() as f64;
    let name = server.name();
    let rate = "GET one session, 16 connections, client on the same cores";
    report.add(name, rate, Unit::PerSecond, count / elapsed.as_secs_f64());
    for time in times {
        report.time(name, "GET one session, 16 connections: time of each", time);
    }
    if let (Some(before), Some(after)) = (cpu_before, own_time(server))
        && let Some(used) = after.checked_sub(before).filter(|used| !used.is_zero())
    {
        let what = "GET one session, for each second of the server's processor time";
        report.add(name, what, Unit::PerSecond, count / used.as_secs_f64());
    }
    Ok(())
}

fn own_time(server: &Server) -> Option<Duration> {
    own_cpu(server.target.pid?).ok()
}
