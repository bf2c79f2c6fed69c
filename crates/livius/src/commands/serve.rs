//! `livius serve`: runs the server.

use anyhow::Context as _;

use crate::cli::ServerFlags;
use crate::exit::Ending;
use crate::runtime::on_runtime;
use crate::server::{Server, Signals};
use crate::{logging, terminal};

/// Runs the command.
pub fn run(flags: &ServerFlags) -> anyhow::Result<Ending> {
    let (settings, surroundings) = super::load(&flags.layer())?;
    logging::start(&settings.logs);
    for note in &settings.notes {
        tracing::warn!("configuration: {note}");
    }
    on_runtime(async {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let server = Server::open(&settings, &surroundings).await?;
        terminal::say(&format!(
            "Livius is listening on http://{}",
            server.address()
        ));
        Ok(server.run(&mut signals).await)
    })
}
