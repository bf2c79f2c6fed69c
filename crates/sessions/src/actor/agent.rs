//! Handles the agent's messages about this session.

use livius_agent_link::{Command, Event, Notice, Work};
use livius_domain::{JobOutcome, Kind, chain};
use livius_failpoint::{Point, reach};
use livius_store::PiecesOf;
use tokio::sync::oneshot;

use super::Actor;
use super::jobs::Ending;
use super::words::unreadable_output;
use crate::driver::FromAgent;
use crate::error::SessionError;
use crate::live_output::Printed;

/// The number of completions that the server asks the agent for at once.
const MAX_COMPLETIONS: usize = 64;

impl Actor {
    pub(super) async fn on_heard(&mut self, heard: FromAgent) {
        match heard {
            FromAgent::Event { event, stored } => {
                let result = self.on_event(event).await;
                if let Err(error) = &result {
                    tracing::error!(session.id = %self.record.id, error = %chain(error), "cannot store what the agent said");
                }
                let _ = stored.send(result.is_ok());
            }
            FromAgent::Notice(Notice::Progress {
                statement,
                progress,
                stages,
            }) => {
                self.entry.board.progress(statement, progress, stages);
                self.setup.publisher.bump();
            }
            FromAgent::Notice(Notice::Output {
                statement,
                stream,
                offset,
                bytes,
                text,
            }) => {
                let piece = Printed {
                    stream,
                    offset,
                    bytes,
                    text: text.into(),
                };
                self.entry.board.print(statement, piece);
                self.setup.publisher.bump();
            }
            FromAgent::Notice(Notice::Completed {
                request,
                candidates,
            }) => {
                if let Some(reply) = self.completions.remove(&request) {
                    let _ = reply.send(candidates);
                }
            }
            // The driver's actor keeps them.
            FromAgent::Notice(Notice::Interpreters { .. }) => {}
        }
    }

    async fn on_event(&mut self, event: Event) -> Result<(), SessionError> {
        match event {
            Event::Started { statement, at } => self.statement_started(statement, at).await?,
            Event::Chunk {
                statement,
                index,
                text,
            } if self.statements.has(statement) => {
                let output = PiecesOf::Statement(self.record.id, statement);
                self.core.store.put_piece(output, index, &text).await?;
                reach(Point::OutputPieceStored);
            }
            // A piece for a statement that has ended, or never was: the store has no place for it.
            Event::Chunk { .. } => {}
            Event::Finished {
                statement,
                at,
                cancelled,
                output,
                chunks,
            } => {
                self.statement_finished(statement, at, cancelled, output, chunks)
                    .await?;
            }
            Event::JobStarted { job, at } => self.job_started(job, at).await?,
            Event::JobChunk { job, index, data } => self.job_chunk(job, index, &data).await?,
            Event::JobFinished {
                job,
                at,
                outcome,
                result,
                chunks,
                error,
            } => {
                let ending = Ending {
                    outcome,
                    result,
                    chunks,
                    error,
                };
                self.job_finished(job, at, ending).await?;
            }
            Event::ResourceAdded { resource, error } => {
                self.resource_added(resource, error).await?;
            }
            Event::Unreadable { ends, reason } => self.end_unreadable(ends, &reason).await?,
            // The driver's actor handles messages about the driver itself.
            Event::Ready { .. }
            | Event::ContextUp { .. }
            | Event::Primed
            | Event::Begun { .. }
            | Event::Failed { .. }
            | Event::ContextStopped { .. }
            | Event::Stopped { .. } => {}
        }
        Ok(())
    }

    /// Gives work an end whose own end cannot be read: otherwise clients would wait for it without
    /// end.
    async fn end_unreadable(
        &mut self,
        ends: Option<Work>,
        reason: &str,
    ) -> Result<(), SessionError> {
        tracing::error!(session.id = %self.record.id, reason, "cannot read what the session's agent said");
        let why = format!("what the driver said of its end cannot be read: {reason}");
        let now = self.core.clock.now().as_millisecond();
        match ends {
            Some(Work::Statement(id)) => {
                let output = unreadable_output(id, &why);
                self.statement_finished(id, now, false, Some(output), 0)
                    .await
            }
            Some(Work::Job(id)) => {
                let ending = Ending {
                    outcome: JobOutcome::Failed,
                    result: None,
                    chunks: 0,
                    error: Some(why),
                };
                self.job_finished(id, now, ending).await
            }
            Some(Work::Resource(id)) => self.resource_added(id, Some(why)).await,
            None => Ok(()),
        }
    }

    /// Asks the agent to complete. Without an agent the reply is dropped, which means: no
    /// candidates.
    pub(super) fn complete(
        &mut self,
        code: String,
        kind: Kind,
        cursor: u32,
        reply: oneshot::Sender<Vec<String>>,
    ) {
        self.record.last_activity = self.core.clock.now();
        self.completions.retain(|_, waiting| !waiting.is_closed());
        if self.entry.driver.view().port.is_none() || self.completions.len() >= MAX_COMPLETIONS {
            return;
        }
        self.next_request += 1;
        self.completions.insert(self.next_request, reply);
        self.send(Command::Complete {
            request: self.next_request,
            kind,
            code,
            cursor,
        });
    }
}
