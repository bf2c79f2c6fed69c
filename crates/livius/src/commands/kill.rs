//! `livius kill`: deletes a session or a batch.

use livius_client::{Collection, Reference};

use crate::cli::Kill;
use crate::commands::connection;
use crate::config::ProcessEnvironment;
use crate::exit::Ending;
use crate::runtime::on_runtime;
use crate::terminal::say;

/// Runs the command.
pub fn run(arguments: &Kill) -> anyhow::Result<Ending> {
    let livy = connection::open(&arguments.server, &ProcessEnvironment::of_this_process())?;
    let reference = Reference::parse(Collection::of(arguments.batch), &arguments.which)?;
    on_runtime(async {
        livy.delete(reference.path()).await?;
        let noun = reference.collection.noun();
        say(&format!("{noun} {} is deleted", arguments.which));
        Ok(Ending::Good)
    })
}
