//! The actor and its agent: who is connected, what was applied, what is sent.

use livius_agent_link::{AgentFrame, AgentSocket, Command, Event, Notice, Work};
use livius_domain::{AppInfo, Failure, FailureCode, JobOutcome, Kind, Phase, SessionEvent};
use livius_store::PiecesOf;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Actor;
use super::jobs::Ending;
use super::words::unreadable_output;
use crate::error::SessionError;

/// Completions waited for at once.
const MAX_COMPLETIONS: usize = 64;

/// The connection with an agent.
pub(super) struct Link {
    socket: AgentSocket,
    /// The newest event of this agent process that was applied.
    applied: u64,
}

/// What the agent says next; waits for ever while none is connected. `None` is the end of the connection.
pub(super) async fn next_frame(link: &mut Option<Link>) -> Option<AgentFrame> {
    match link {
        Some(link) => link.socket.incoming.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits until then, or for ever.
pub(super) async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

impl Actor {
    /// Takes a new connection in place of any older one. Events are numbered per agent process, and applying one twice
    /// changes nothing: so a server that was restarted may simply have all of them sent again. What the agent does not keep
    /// any more was stored before.
    pub(super) async fn attach(&mut self, socket: AgentSocket) {
        let known = self
            .link
            .take()
            .filter(|old| old.socket.hello.instance == socket.hello.instance);
        let forgotten = socket.hello.first_seq.saturating_sub(1);
        let applied = known.map_or(forgotten, |old| old.applied.max(forgotten));
        tracing::info!(
            session.id = %self.record.id,
            spark.version = socket.hello.spark,
            java.version = socket.hello.java,
            agent.protocol = socket.hello.version(),
            agent.events_kept = ?(socket.hello.first_seq..=socket.hello.last_seq),
            agent.in_hand = ?socket.hello.sessions,
            "the session's agent has connected"
        );
        self.link = Some(Link { socket, applied });
        self.entry.link_lost.clear();
        self.send(Command::Welcome { acked: applied });
        self.apply(SessionEvent::AgentConnected).await;
    }

    /// Sends a command if an agent is connected. One that does not take its commands is dropped: it comes back and is told anew.
    pub(super) fn send(&mut self, command: Command) {
        let Some(link) = &self.link else { return };
        if link.socket.outgoing.try_send(command.into()).is_err() {
            tracing::warn!(session.id = %self.record.id, "the session's agent does not take its commands; dropping the connection");
            self.link = None;
            self.completions.clear();
            self.entry.link_lost.set(self.core.clock.now());
        }
    }

    pub(super) async fn on_frame(&mut self, frame: Option<AgentFrame>) {
        match frame {
            Some(AgentFrame::Event { seq, event, .. }) => self.on_numbered(seq, event).await,
            Some(AgentFrame::Notice { notice, .. }) => self.on_notice(notice),
            Some(AgentFrame::Unknown) => {}
            None => self.lose_link().await,
        }
    }

    fn on_notice(&mut self, notice: Notice) {
        match notice {
            Notice::Progress {
                statement,
                progress,
            } => {
                self.entry.board.progress(statement, progress);
            }
            Notice::Completed {
                request,
                candidates,
            } => {
                if let Some(reply) = self.completions.remove(&request) {
                    let _ = reply.send(candidates);
                }
            }
        }
    }

    async fn on_numbered(&mut self, seq: u64, event: Event) {
        let applied = self.link.as_ref().map_or(0, |link| link.applied);
        if seq > applied + 1 {
            // A frame between them is missing. The agent keeps it and sends it again on its next connection.
            tracing::warn!(session.id = %self.record.id, agent.event = seq, agent.applied = applied, "the session's agent has skipped an event; dropping the connection");
            self.lose_link().await;
            return;
        }
        if seq > applied {
            if let Err(error) = self.on_event(event).await {
                // Not acknowledged, so not lost: the agent keeps it and says it again when it is back.
                tracing::error!(session.id = %self.record.id, error = %livius_domain::chain(&error), "cannot store what the agent said");
                self.lose_link().await;
                return;
            }
            if let Some(link) = &mut self.link {
                link.applied = seq;
            }
        }
        self.send(Command::Ack { seq });
    }

    async fn lose_link(&mut self) {
        self.link = None;
        self.completions.clear();
        self.entry.link_lost.set(self.core.clock.now());
        self.apply(SessionEvent::AgentLost).await;
    }

    async fn on_event(&mut self, event: Event) -> Result<(), SessionError> {
        match event {
            Event::Ready {
                app_id,
                spark_ui_url,
                ..
            } => {
                self.start_permit = None;
                self.try_apply(SessionEvent::AgentReady(AppInfo {
                    app_id,
                    spark_ui_url,
                    driver_log_url: None,
                }))
                .await?;
            }
            Event::Failed { phase, message, .. } => self.agent_failed(&phase, &message).await?,
            Event::Started { statement, at } => self.statement_started(statement, at).await?,
            Event::Chunk {
                statement,
                index,
                text,
            } if self.statements.has(statement) => {
                let of = PiecesOf::Statement(self.record.id, statement);
                self.core.store.put_piece(of, index, &text).await?;
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
            Event::Stopped { reason } => {
                tracing::info!(session.id = %self.record.id, reason, "the session's agent has stopped");
            }
            Event::Unreadable { ends, reason } => self.end_unreadable(ends, &reason).await?,
        }
        Ok(())
    }

    /// Gives work an end whose own cannot be read: it would be waited for without end.
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

    async fn agent_failed(&mut self, phase: &str, message: &str) -> Result<(), SessionError> {
        let failure = Failure {
            code: FailureCode::ContextFailed,
            phase: Phase::Context,
            message: format!("the {phase} could not be created: {message}"),
            hint: "the session's log has the whole story".to_owned(),
        };
        self.try_apply(SessionEvent::AgentFailed(failure)).await
    }

    /// Asks the agent to complete; without one the reply is dropped, which the asker takes for "no candidates".
    pub(super) fn complete(
        &mut self,
        code: String,
        kind: Kind,
        cursor: u32,
        reply: oneshot::Sender<Vec<String>>,
    ) {
        self.record.last_activity = self.core.clock.now();
        self.completions.retain(|_, waiting| !waiting.is_closed());
        if self.link.is_none() || self.completions.len() >= MAX_COMPLETIONS {
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
