//! The session of `shell` and `run`: opens it, waits for it, and deletes it.

use livius_client::session::Session;
use livius_client::{ClientError, Entry, Livy, request};

use crate::cli::SessionArguments;
use crate::config::ProcessEnvironment;
use crate::server::{Signal, Signals};
use crate::terminal::{StatusLine, complain};

/// Opens the session that the command line names. A new one is not ready yet.
pub async fn open(
    livy: &Livy,
    arguments: &SessionArguments,
    kind: Option<&str>,
    environment: &ProcessEnvironment,
) -> anyhow::Result<Session> {
    if let Some(text) = &arguments.session {
        return Ok(Session::find(livy, text).await?);
    }
    let paths = request::Paths::new(environment.directory(), livy.is_local());
    let body = request::spark(&arguments.spark.options()?, paths);
    Ok(Session::create(livy, kind, arguments.name.as_deref(), body).await?)
}

/// Waits until the session takes statements, or a signal arrives.
pub async fn await_ready(
    session: &Session,
    signals: &mut Signals,
) -> Result<Option<Signal>, ClientError> {
    tokio::select! {
        biased;
        signal = signals.next() => Ok(Some(signal)),
        ready = ready(session) => ready.map(|()| None),
    }
}

/// Waits until the session takes statements, and shows its state on the terminal.
async fn ready(session: &Session) -> Result<(), ClientError> {
    let mut status = StatusLine::begin();
    let seen = |entry: &Entry| status.show(&format!("session {} is {}", entry.id, entry.state));
    session.await_ready(seen).await
}

/// Deletes the session if this command created it and should not keep it. A signal ends the wait.
pub async fn close(session: &Session, arguments: &SessionArguments, signals: &mut Signals) {
    if arguments.session.is_some() {
        return;
    }
    let id = session.id;
    if arguments.keep {
        complain(&format!(
            "livius: session {id} goes on; `livius kill {id}` ends it"
        ));
        return;
    }
    let deleted = tokio::select! {
        biased;
        signal = signals.next() => Err(format!("interrupted by {}", signal.name())),
        deleted = session.delete() => deleted.map_err(|error| error.to_string()),
    };
    if let Err(reason) = deleted {
        complain(&format!(
            "livius: session {id} may not be deleted: {reason}"
        ));
    }
}
