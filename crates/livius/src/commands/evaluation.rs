//! Running one statement to its end, with Ctrl-C cancelling it.

use std::cell::RefCell;

use crate::server::{Signal, Signals};
use crate::terminal::{StatusLine, complain, put};
use livius_client::output::{Shown, shown};
use livius_client::session::Session;
use livius_client::{ClientError, Statement};

/// What came of a statement.
#[derive(Debug)]
pub struct Evaluation {
    /// The statement, if its end was waited for.
    pub statement: Option<Statement>,
    /// The signal that came meanwhile.
    pub signal: Option<Signal>,
}

/// Runs code. The first Ctrl-C cancels it and waits for that; a second one, or another signal, stops waiting.
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

/// Prints a statement's output: what it shows to standard output, why it failed to standard error. Answers whether it succeeded.
pub fn print(statement: &Statement) -> bool {
    match shown(statement) {
        Shown::Good(text) => {
            // A reader that has gone away is no reason to fail.
            let _ = put(&text);
            true
        }
        Shown::Bad(text) => {
            complain(&text);
            false
        }
    }
}
