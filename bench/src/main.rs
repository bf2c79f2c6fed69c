//! The program: see `README.md`.

use anyhow::{Context as _, Result};
use clap::Parser as _;
use livius_bench::arguments::{Arguments, Command};
use livius_bench::{batches, compare, tell};

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Compare(plan) => {
            let report = compare::run(&plan).await?;
            if let Some(file) = &plan.json {
                let text = format!("{:#}\n", report.json());
                std::fs::write(file, text).with_context(|| format!("write {file}"))?;
            }
            tell(&report.table());
            Ok(())
        }
        Command::Batches(load) => batches::at_once(&load).await,
    }
}
