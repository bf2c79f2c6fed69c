//! The life of one session: its start, its first statement, its first job, its end.

use std::time::Instant;

use anyhow::Result;

use super::{Server, code};
use crate::client::Way;
use crate::processes::Tree;
use crate::report::{Report, Unit};

/// A session that is in use.
#[derive(Debug)]
pub struct Live {
    pub id: i64,
}

/// The row of a session's start.
pub fn to_idle(kind: &str) -> String {
    format!("{kind}: POST /sessions to idle")
}

/// The row of a session's start with its first Spark job.
pub fn to_first_job(kind: &str) -> String {
    format!("{kind}: POST /sessions to the result of a first Spark job")
}

/// Starts a session, and runs a first statement and a first Spark job in it.
pub async fn start(server: &Server, kind: &str, report: &mut Report) -> Result<Live> {
    let (name, client) = (server.name(), &server.client);
    let cpu_before = server.tree().map(Tree::cpu).transpose()?;
    let begun = Instant::now();
    let id = client.create(kind).await?;
    report.time(name, &format!("{kind}: POST /sessions"), begun.elapsed());
    client.await_idle(id).await?;
    report.time(name, &to_idle(kind), begun.elapsed());
    let (statement, job) = code(kind);
    let first = client.run(id, statement, Way::Wait).await?;
    report.time(name, &format!("{kind}: first statement after idle"), first);
    let first = client.run(id, job, Way::Wait).await?;
    report.time(name, &format!("{kind}: first Spark job after idle"), first);
    report.time(name, &to_first_job(kind), begun.elapsed());
    let second = client.run(id, job, Way::Wait).await?;
    report.time(name, &format!("{kind}: second Spark job"), second);
    if let (Some(tree), Some(before)) = (server.tree(), cpu_before) {
        let used = tree.cpu()?.saturating_sub(before).as_secs_f64();
        let what = format!("{kind}: processor time of all processes up to there");
        report.add(name, &what, Unit::CpuSeconds, used);
        let what = format!("{kind}: memory of all processes with one session");
        report.add(name, &what, Unit::Mebibytes, tree.memory()?);
    }
    Ok(Live { id })
}

/// Deletes a session that is well.
pub async fn end(server: &Server, live: Live, report: &mut Report) -> Result<()> {
    let begun = Instant::now();
    server.client.delete(live.id).await?;
    report.time(
        server.name(),
        "DELETE of a healthy session",
        begun.elapsed(),
    );
    Ok(())
}
