//! The connection to a server, shared by the commands that are clients.

use livius_client::text::escaped_lines;
use livius_client::{ClientError, Livy, Target, TargetError};

use crate::cli::{ArgumentError, ServerArguments};
use crate::config::ProcessEnvironment;
use crate::terminal::complain;

/// Opens a client of the server that the command line or the environment names.
pub fn open(arguments: &ServerArguments, environment: &ProcessEnvironment) -> anyhow::Result<Livy> {
    let target = Target::new(arguments.options(environment)?)?;
    let notice = |error: &ClientError| {
        complain(&format!("livius: {error}; trying again for a minute"));
    };
    Ok(Livy::new(target)?.on_retry(notice))
}

/// Prints what helps with a failure: the end of the session's log, and a remedy.
pub fn explain(error: &anyhow::Error) {
    if let Some(ClientError::Ended { log, .. }) = error.downcast_ref()
        && !log.is_empty()
    {
        complain("the end of its log:");
        for line in log {
            complain(&format!("  {}", escaped_lines(line.trim_start())));
        }
    }
    if let Some(hint) = hint(error) {
        complain(&format!("  what to do: {hint}"));
    }
}

fn hint(error: &anyhow::Error) -> Option<&'static str> {
    if let Some(TargetError::Credentials) = error.downcast_ref() {
        return Some("give the name with --user, and the password in LIVIUS_PASSWORD");
    }
    match error.downcast_ref()? {
        ClientError::Unreachable { .. } => {
            Some("start a server with `livius serve`, or name another with --url or in LIVIUS_URL")
        }
        ClientError::Lost { .. } => Some(
            "the server may have done it: look at `livius sessions` or `livius batches` before you try again",
        ),
        ClientError::TimedOut { .. } => {
            Some("try again, or allow it more time with --timeout SECONDS")
        }
        ClientError::Foreign { .. } => Some("name the server with --url or in LIVIUS_URL"),
        ClientError::Refused { status, .. } if status.as_u16() == 401 => Some(
            "sign in with --user NAME and the password in LIVIUS_PASSWORD, or with --header 'Authorization: …'",
        ),
        ClientError::Setup(_)
        | ClientError::Refused { .. }
        | ClientError::Name { .. }
        | ClientError::Ended { .. } => None,
    }
}

/// Tells whether the command line is wrong, so that the same command can never succeed.
pub fn is_misuse(error: &anyhow::Error) -> bool {
    let client = error.downcast_ref();
    error.is::<TargetError>()
        || error.is::<ArgumentError>()
        || matches!(client, Some(ClientError::Name { .. }))
}
