//! Runs one statement to its end. Ctrl-C cancels it.

use std::cell::RefCell;

use crate::server::{Signal, Signals};
use crate::terminal::{StatusLine, complain, put};
use livius_client::output::{Shown, shown};
use livius_client::session::Session;
use livius_client::{ClientError, Statement};

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
) -> Result<Evaluation, ClientError> {
    let started = session.start(code, kind).await?;
    let id = started.id;
    let status = RefCell::new(StatusLine::begin());
    let following = session.follow(started, |statement| {
        status.borrow_mut().show(&told(statement));
    });
    tokio::pin!(following);
    let mut interrupted = None;
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => {
                status.borrow_mut().clear();
                let cancelled = session.cancel(id).await;
                let stops = interrupted.replace(signal).is_some() || signal != Signal::Interrupt;
                if stops {
                    return Ok(Evaluation { statement: None, signal: Some(signal) });
                }
                cancelled?;
                complain(&format!("livius: cancelling statement {id}; Ctrl-C once more does not wait for that"));
            }
            ended = &mut following => {
                status.borrow_mut().clear();
                return Ok(Evaluation { statement: Some(ended?), signal: interrupted });
            }
        }
    }
}

fn told(statement: &Statement) -> String {
    format!("statement {} is {}", statement.id, statement.stage())
}

/// Prints the output to standard output, or the error to standard error. Returns whether the
/// statement succeeded.
pub fn print(statement: &Statement) -> bool {
    match shown(statement) {
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
