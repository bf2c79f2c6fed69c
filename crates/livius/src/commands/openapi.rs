//! `livius openapi`: prints the description of the REST API.

use crate::exit::Ending;
use crate::terminal;

/// Runs the command.
pub fn run() -> anyhow::Result<Ending> {
    terminal::say(&serde_json::to_string_pretty(&livius_http::openapi())?);
    Ok(Ending::Good)
}
