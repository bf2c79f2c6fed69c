//! Many sessions created at once.

use std::time::Instant;

use anyhow::Result;
use tokio::task::JoinSet;

use super::Server;
use crate::report::Report;

/// Creates that many sessions at the same moment, and deletes them when all POSTs are answered.
pub async fn sessions(server: &Server, count: usize, report: &mut Report) -> Result<()> {
    let begun = Instant::now();
    let mut posts = JoinSet::new();
    for _ in 0..count {
        let client = server.client.clone();
        posts.spawn(async move {
            let begun = Instant::now();
            let id = client.create("sql").await?;
            anyhow::Ok((id, begun.elapsed()))
        });
    }
    let mut ids = Vec::new();
    while let Some(post) = posts.join_next().await {
        let (id, time) = post??;
        ids.push(id);
        let what = format!("{count} sessions created at once: time of each POST");
        report.time(server.name(), &what, time);
    }
    let what = format!("{count} sessions created at once: all answered");
    report.time(server.name(), &what, begun.elapsed());
    server.note_memory(report, "memory of the server during that burst")?;
    for id in ids {
        server.client.delete(id).await?;
    }
    Ok(())
}
