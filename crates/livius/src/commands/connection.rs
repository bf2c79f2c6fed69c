//! What the commands that talk to a server have in common.

use crate::cli::ServerArguments;
use crate::client::request::ConfError;
use crate::client::text::escaped_lines;
use crate::client::{ClientError, Livy, Target, TargetError};
use crate::config::Surroundings;
use crate::terminal::complain;

/// Finds the server that the command line, or the environment, names.
pub fn open(arguments: &ServerArguments, surroundings: &Surroundings) -> anyhow::Result<Livy> {
    Ok(Livy::new(Target::new(arguments, surroundings)?)?)
}

/// Tells what follows from a failure: the log of what ended, and what to do.
pub fn explain(error: &anyhow::Error) {
    let Some(error) = error.downcast_ref::<ClientError>() else {
        return;
    };
    if let ClientError::Ended { log, .. } = error
        && !log.is_empty()
    {
        complain("the end of its log:");
        for line in log {
            complain(&format!("  {}", escaped_lines(line.trim_start())));
        }
    }
    if let Some(hint) = error.hint() {
        complain(&format!("  what to do: {hint}"));
    }
}

/// Whether the command line is what is wrong.
pub fn is_misuse(error: &anyhow::Error) -> bool {
    let is_name = || {
        let client = error.downcast_ref();
        matches!(client, Some(ClientError::Name { .. }))
    };
    error.is::<TargetError>() || error.is::<ConfError>() || is_name()
}
