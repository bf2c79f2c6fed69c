//! Measures servers in turn. They alternate, so that a change of the machine's load meets all.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::arguments::Plan;
use crate::bare;
use crate::measures::output::Long;
use crate::measures::{Server, burst, latency, live, output, reads, session};
use crate::note;
use crate::report::Report;

/// A server rests when it uses less than this share of a processor.
const RESTING_SHARE: f64 = 0.05;

/// The time over which that is measured.
const REST: Duration = Duration::from_secs(1);

/// Measures all that the plan says.
pub async fn run(plan: &Plan) -> Result<Report> {
    let servers = plan.servers.iter().map(Server::new);
    let servers = servers.collect::<Result<Vec<_>>>()?;
    let names = servers.iter().map(|server| server.name().to_owned());
    let mut report = Report::new(names.collect());
    for server in &servers {
        server.note_memory(&mut report, "memory of the server, idle")?;
    }
    for round in 0..plan.rounds {
        note(&format!("round {} of {}", round + 1, plan.rounds));
        self::round(plan, &servers, round, &mut report).await?;
    }
    for server in &servers {
        note(&format!("{}: long output, many sessions", server.name()));
        extremes(plan, server, &mut report)
            .await
            .with_context(|| format!("measure {}", server.name()))?;
    }
    rest(&servers, plan).await?;
    for server in &servers {
        server.note_memory(&mut report, "memory of the server, after use")?;
    }
    report.finish();
    Ok(report)
}

async fn round(plan: &Plan, servers: &[Server], round: usize, report: &mut Report) -> Result<()> {
    for kind in &plan.kinds {
        if let Some(home) = &plan.bare {
            rest(servers, plan).await?;
            bare::measure(home, kind, report).await?;
        }
        let mut order: Vec<&Server> = servers.iter().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for server in order {
            rest(servers, plan).await?;
            note(&format!("{}: {kind}", server.name()));
            visit(plan, server, kind, report)
                .await
                .with_context(|| format!("measure {kind} of {}", server.name()))?;
        }
    }
    Ok(())
}

/// One session, from its creation to its end.
async fn visit(plan: &Plan, server: &Server, kind: &str, report: &mut Report) -> Result<()> {
    let begun = session::start(server, kind, report).await?;
    latency::statements(server, kind, &begun, plan.statements, report).await?;
    if plan.kinds.first().is_some_and(|first| first == kind) {
        let time = Duration::from_millis(plan.reads_ms);
        reads::session(server, &begun, time, report).await?;
    }
    if kind == "pyspark" {
        live::lag(server, begun.id, report).await?;
    }
    session::end(server, begun, report).await
}

async fn extremes(plan: &Plan, server: &Server, report: &mut Report) -> Result<()> {
    if plan.output_mb > 0 {
        let long = Long {
            megabytes: plan.output_mb,
            limit: Duration::from_secs(plan.output_limit_s),
        };
        output::long(server, long, report).await?;
    }
    if plan.streams > 0 {
        live::streams(server, plan.streams, report).await?;
    }
    if plan.burst > 0 {
        burst::sessions(server, plan.burst, report).await?;
    }
    Ok(())
}

/// Waits until no server is busy: one may still end a session, or fill a pool.
async fn rest(servers: &[Server], plan: &Plan) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(plan.rest_limit_s) {
        let before = processor_time(servers)?;
        tokio::time::sleep(REST).await;
        let used = processor_time(servers)?.saturating_sub(before);
        if used.as_secs_f64() < REST.as_secs_f64() * RESTING_SHARE {
            return Ok(());
        }
    }
    Ok(())
}

fn processor_time(servers: &[Server]) -> Result<Duration> {
    let trees = servers.iter().filter_map(Server::tree);
    trees.map(crate::processes::Tree::cpu).sum()
}
