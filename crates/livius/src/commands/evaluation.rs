//! Runs one statement to its end. Ctrl-C cancels it.

mod live;

use crate::server::{Signal, Signals};
use crate::terminal::{complain, put};
use livius_client::output::{Shown, shown_after};
use livius_client::session::Session;
use livius_client::{ClientError, Statement};

pub use live::Live;

/// The result of a statement.
#[derive(Debug)]
pub struct Evaluation {
    /// The statement, if the command waited for its end.
    pub statement: Option<Statement>,
    /// The signal that arrived while it ran.
    pub signal: Option<Signal>,
}

/// Runs code. The first Ctrl-C cancels it and waits for its end. A second one, or another signal,
/// ends the wait.
pub async fn evaluate(
    session: &Session,
    code: &str,
    kind: &str,
    signals: &mut Signals,
    live: &Live,
) -> Result<Evaluation, ClientError> {
    let started = session.start(code, kind).await?;
    let id = started.id;
    let following = session.follow(started, |seen| live.show(seen));
    tokio::pin!(following);
    let mut interrupted = None;
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => {
                live.pause();
                let cancelled = session.cancel(id).await;
                let stops = interrupted.replace(signal).is_some() || signal != Signal::Interrupt;
                if stops {
                    return Ok(Evaluation { statement: None, signal: Some(signal) });
                }
                cancelled?;
                complain(&format!("livius: cancelling statement {id}; Ctrl-C once more does not wait for that"));
            }
            ended = &mut following => {
                live.pause();
                return Ok(Evaluation { statement: Some(ended?), signal: interrupted });
            }
        }
    }
}

/// Prints what is left of the output to standard output, or the error to standard error. Returns
/// whether the statement succeeded.
pub fn print(statement: &Statement, live: &Live) -> bool {
    match shown_after(statement, &live.streamed()) {
        Shown::Good(text) => {
            // A closed pipe is not an error.
            let _ = put(&text);
            true
        }
        Shown::Bad(text) => {
            complain(&text);
            false
        }
    }
}
