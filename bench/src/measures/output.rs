//! One statement with a long output.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use super::Server;
use crate::processes::{peak, resident};
use crate::report::{Report, Unit};

/// A long output.
#[derive(Debug, Clone, Copy)]
pub struct Long {
    pub megabytes: usize,
    /// The longest time to wait for it.
    pub limit: Duration,
}

/// Prints it in a session of its own, and notes a failure as one.
pub async fn long(server: &Server, long: Long, report: &mut Report) -> Result<()> {
    let id = server.client.create("pyspark").await?;
    server.client.await_idle(id).await?;
    let what = format!(
        "pyspark: {} MB of output, POST to the last byte",
        long.megabytes
    );
    match printed(server, id, long).await {
        Ok((time, growth)) => {
            report.time(server.name(), &what, time);
            if let Some(growth) = growth {
                let what = format!(
                    "growth of the server's memory by {} MB of output",
                    long.megabytes
                );
                report.add(server.name(), &what, Unit::Mebibytes, growth);
            }
        }
        Err(error) => report.fail(
            server.name(),
            &what,
            Unit::Milliseconds,
            &format!("{error:#}"),
        ),
    }
    server.client.delete(id).await
}

async fn printed(server: &Server, id: i64, long: Long) -> Result<(Duration, Option<f64>)> {
    let bytes = long.megabytes * 1_000_000;
    let code = format!("print('x' * {bytes})");
    let begun = Instant::now();
    let download = tokio::time::timeout(long.limit, server.client.download(id, &code));
    let (done, growth) = match server.target.pid {
        Some(pid) => {
            let before = resident(pid)?;
            let (done, most) = peak(pid, download).await?;
            (done, Some(most - before))
        }
        None => (download.await, None),
    };
    let limit = long.limit.as_secs();
    let got = done.map_err(|_| anyhow!("no result in {limit} s"))??;
    ensure!(got >= bytes as u64, "only {got} bytes");
    Ok((begun.elapsed(), growth))
}
