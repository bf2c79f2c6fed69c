//! `livius errors`: prints the catalogue of failures.

use crate::exit::Ending;
use crate::terminal;

/// Runs the command.
#[expect(
    clippy::unnecessary_wraps,
    reason = "all commands have the same signature"
)]
pub fn run() -> anyhow::Result<Ending> {
    terminal::say(livius_domain::failure::markdown().trim_end());
    Ok(Ending::Good)
}
