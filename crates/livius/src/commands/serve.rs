//! `livius serve`: runs the server.

use std::future::Future;

use anyhow::Context as _;

use crate::cli::ServerFlags;
use crate::exit::Ending;
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

/// Runs a future on a runtime of its own. What still blocks a thread at the end is not waited for.
pub fn on_runtime<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    result
}
