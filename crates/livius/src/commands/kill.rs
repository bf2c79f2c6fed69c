//! `livius kill`: deletes a session or a batch.

use crate::cli::Kill;
use crate::client::{Collection, Reference};
use crate::commands::{connection, serve};
use crate::config::Surroundings;
use crate::exit::Ending;
use crate::terminal::say;

/// Runs the command.
pub fn run(arguments: &Kill) -> anyhow::Result<Ending> {
    let livy = connection::open(&arguments.server, &Surroundings::of_this_process())?;
    let reference = Reference::parse(Collection::of(arguments.batch), &arguments.which)?;
    serve::on_runtime(async {
        livy.delete(reference.path()).await?;
        let noun = reference.collection.noun();
        say(&format!("{noun} {} is deleted", arguments.which));
        Ok(Ending::Good)
    })
}
