//! `livius supervise`: supervises one driver. There is one such process for each driver, so it
//! stays small: no runtime, no log, no configuration.

use anyhow::Context as _;
use camino::Utf8Path;
use livius_domain::SystemClock;

use crate::exit::Ending;

/// Runs the command.
pub fn run(dir: &Utf8Path) -> anyhow::Result<Ending> {
    livius_launch::supervise(dir, &SystemClock)
        .with_context(|| format!("cannot look after the driver in {dir}"))?;
    Ok(Ending::Good)
}
