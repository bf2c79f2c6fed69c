//! `livius serve`: runs the server.

use anyhow::Context as _;

use crate::cli::ServerFlags;
use crate::config::Configuration;
use crate::exit::Ending;
use crate::runtime::on_runtime;
use crate::server::{Server, Signals};
use crate::{failpoint, logging, memory, terminal};

/// Runs the command.
pub fn run(flags: &ServerFlags) -> anyhow::Result<Ending> {
    let (configuration, environment) = super::load(&flags.layer())?;
    let Configuration { settings, resolved } = configuration;
    logging::start(&settings.logs);
    failpoint::arm(&environment)?;
    memory::return_large_blocks();
    for note in resolved.notes() {
        tracing::warn!("configuration: {note}");
    }
    on_runtime(async {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let server = Server::open(&settings, &environment).await?;
        terminal::say(&format!(
            "Livius is listening on http://{}",
            server.address()
        ));
        Ok(server.run(&mut signals).await)
    })
}
