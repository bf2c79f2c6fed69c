//! One file for each group of figures.

pub mod burst;
pub mod latency;
pub mod live;
pub mod output;
pub mod reads;
pub mod session;

use anyhow::Result;

use crate::client::Client;
use crate::processes::{Tree, resident};
use crate::report::{Report, Unit};
use crate::target::Target;

/// A server, and a client of it.
#[derive(Debug, Clone)]
pub struct Server {
    pub target: Target,
    pub client: Client,
}

impl Server {
    pub fn new(target: &Target) -> Result<Self> {
        Ok(Self {
            target: target.clone(),
            client: Client::new(&target.url)?,
        })
    }

    pub fn name(&self) -> &str {
        &self.target.name
    }

    /// Its process with all that it has started.
    pub fn tree(&self) -> Option<Tree> {
        self.target.pid.map(Tree)
    }

    /// Adds the memory of the server's own process to a figure.
    pub fn note_memory(&self, report: &mut Report, what: &str) -> Result<()> {
        if let Some(pid) = self.target.pid {
            report.add(self.name(), what, Unit::Mebibytes, resident(pid)?);
        }
        Ok(())
    }
}

/// A first statement, and a first Spark job, of a kind.
pub fn code(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "sql" => ("SELECT 1 + 1", "SELECT count(*) FROM range(10)"),
        "sparkr" => ("1+1", "count(createDataFrame(data.frame(n = 1:10)))"),
        _ => ("1+1", "spark.range(10).count()"),
    }
}
