//! Follows a statement while it runs: by the events of a Livius server, or by asking Livy again and
//! again.

use std::time::Instant;

use serde::Deserialize;

use crate::answers::{Stage, Statement};
use crate::error::ClientError;
use crate::events::Event;
use crate::pace::{Pace, WAIT};
use crate::session::Session;

/// Something that a client sees of a running statement.
#[derive(Debug)]
pub enum Seen<'a> {
    /// Its state or its progress.
    State {
        /// The statement.
        statement: &'a Statement,
        /// The stages of its Spark jobs that run.
        stages: &'a [Stage],
    },
    /// Text that its code has printed. Livy does not tell it.
    Output(Printed),
}

/// Text that the code of a statement has printed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Printed {
    /// The stream.
    pub stream: Stream,
    /// The text.
    pub text: String,
    /// The number of bytes that are missing before it.
    #[serde(default)]
    pub missing: u64,
}

/// A stream that code prints to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

#[derive(Deserialize)]
struct Changed {
    state: String,
    progress: Option<f64>,
    #[serde(default)]
    stages: Vec<Stage>,
}

/// How far a stream of events came.
enum Stopped {
    /// The statement has ended.
    End,
    /// The server has no such events.
    NotThere,
    /// The connection broke.
    Broken,
}

impl Session {
    /// Waits for the end of a statement. Calls `seen` with each state on the way, and on a Livius
    /// server with the text that its code prints.
    pub async fn follow(
        &self,
        mut statement: Statement,
        mut seen: impl FnMut(Seen<'_>),
    ) -> Result<Statement, ClientError> {
        let path = format!("{}/statements/{}", self.reference.path(), statement.id);
        let (mut last, mut pace) = (None, Pace::RETRY);
        while !statement.is_ended() {
            match self.listen(&mut statement, &mut last, &mut seen).await {
                Stopped::End | Stopped::NotThere => break,
                Stopped::Broken => {
                    pace.wait().await;
                    statement = self.livy().look(&path).await?;
                }
            }
        }
        // The end has the whole output.
        self.poll(statement, &mut seen).await
    }

    async fn listen(
        &self,
        statement: &mut Statement,
        last: &mut Option<String>,
        seen: &mut impl FnMut(Seen<'_>),
    ) -> Stopped {
        let number = statement.id;
        let path = format!(
            "/api/v1{}/statements/{number}/events",
            self.reference.path()
        );
        let mut events = match self.livy().events(&path, last.as_deref()).await {
            Ok(Some(events)) => events,
            Err(error) if error.may_pass() => return Stopped::Broken,
            Ok(None) | Err(_) => return Stopped::NotThere,
        };
        while let Some(Event { id, name, data }) = events.next().await {
            match name.as_str() {
                "output" => {
                    if let Ok(printed) = serde_json::from_str(&data) {
                        seen(Seen::Output(printed));
                    }
                }
                "statement" => {
                    if let Ok(now) = serde_json::from_str::<Changed>(&data) {
                        (statement.state, statement.progress) = (now.state, now.progress);
                        let stages = &now.stages;
                        seen(Seen::State { statement, stages });
                    }
                }
                "end" => return Stopped::End,
                _ => {}
            }
            *last = id.or(last.take());
        }
        Stopped::Broken
    }

    async fn poll(
        &self,
        mut statement: Statement,
        seen: &mut impl FnMut(Seen<'_>),
    ) -> Result<Statement, ClientError> {
        let path = self.reference.path();
        let path = format!("{path}/statements/{}?{WAIT}", statement.id);
        let mut pace = Pace::STATEMENT;
        while !statement.is_ended() {
            let asked = Instant::now();
            statement = self.livy().look(&path).await?;
            if !statement.is_ended() {
                let stages = &[];
                seen(Seen::State {
                    statement: &statement,
                    stages,
                });
                pace.wait_since(asked).await;
            }
        }
        Ok(statement)
    }
}
