//! The actor and its statements: the queue, the one that runs, and how each ends.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_agent_link::Command;
use livius_domain::{
    End, Kind, NewStatement, StatementEffect, StatementEvent, StatementId, StatementRecord,
};
use tokio::time::Instant;

use super::Actor;
use crate::board::output_view;
use crate::error::SessionError;
use crate::view::{OutputView, StatementView};

/// Statements are trimmed after so many have finished.
const TRIM_EVERY: u64 = 64;

/// Code that may wait in one session, in bytes.
const WAITING_BYTES: usize = 128 << 20;

/// Between two attempts to hand over a statement.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Actor {
    /// Stores a statement and gives it to the driver if it is its turn.
    pub(super) async fn post_statement(
        &mut self,
        new: NewStatement,
    ) -> Result<StatementView, SessionError> {
        if !self.record.state.accepts_statements() {
            return Err(SessionError::not_active(&self.record.state));
        }
        let limit = self.core.config.limits.waiting_statements;
        if self.waiting.len() >= limit {
            return Err(SessionError::TooManyStatements {
                session: self.record.id,
                limit,
            });
        }
        if self.entry.board.unfinished_bytes() + new.code.len() > WAITING_BYTES {
            return Err(SessionError::TooMuchCode {
                session: self.record.id,
                limit: WAITING_BYTES,
            });
        }
        let kind = statement_kind(new.kind, self.record.request.kind)?;
        let record = self
            .core
            .store
            .create_statement(self.record.id, kind, &new.code)
            .await?;
        let id = record.id;
        self.record.last_activity = self.core.clock.now();
        self.waiting.push_back(id);
        self.publish();
        self.entry.board.show(record.clone(), OutputView::None);
        self.dispatch_or_retry().await;
        let shown = self.entry.board.get(id);
        Ok(shown.unwrap_or(StatementView {
            record,
            output: OutputView::None,
            progress: 0.0,
        }))
    }

    /// Hands the next statement over; if it cannot be stored, some time later.
    pub(super) async fn dispatch_or_retry(&mut self) {
        let dispatched = self.dispatch().await;
        self.retry_after(dispatched);
    }

    pub(super) fn retry_after(&mut self, dispatched: Result<(), SessionError>) {
        if let Err(error) = dispatched {
            tracing::error!(session.id = %self.record.id, error = %livius_domain::chain(&error), "cannot hand over what is to run; trying again");
            self.retry = Some(Instant::now() + RETRY_PAUSE);
        }
    }

    /// Hands the next statement over when nothing runs; after a lost link, the one that runs again.
    pub(super) async fn dispatch(&mut self) -> Result<(), SessionError> {
        if !self.is_reachable() {
            return Ok(());
        }
        if self.current.is_none() {
            self.current = self.waiting.pop_front();
        } else {
            return Ok(());
        }
        let Some(record) = self.current.and_then(|id| self.entry.board.unfinished(id)) else {
            return Ok(());
        };
        if let Err(error) = self.step(&record, StatementEvent::Dispatch, None).await {
            // Nothing was handed over: it keeps its place.
            if let Some(id) = self.current.take() {
                self.waiting.push_front(id);
            }
            return Err(error);
        }
        Ok(())
    }

    /// After a lost link: says again what the agent may have missed. It knows what it has heard before.
    pub(super) async fn dispatch_again(&mut self) -> Result<(), SessionError> {
        let Some(record) = self.current.and_then(|id| self.entry.board.unfinished(id)) else {
            return self.dispatch().await;
        };
        let cancelling = matches!(
            record.state,
            livius_domain::StatementState::Cancelling { .. }
        );
        self.step(&record, StatementEvent::Dispatch, None).await?;
        if cancelling {
            self.send(Command::Cancel {
                statement: record.id,
            });
        }
        Ok(())
    }

    pub(super) async fn statement_started(
        &mut self,
        id: StatementId,
        at: i64,
    ) -> Result<(), SessionError> {
        match self.entry.board.unfinished(id) {
            Some(record) if record.state.is_dispatched() => {
                self.step(&record, StatementEvent::Started(self.timestamp(at)), None)
                    .await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn statement_finished(
        &mut self,
        id: StatementId,
        at: i64,
        cancelled: bool,
        output: Option<String>,
        chunks: u32,
    ) -> Result<(), SessionError> {
        let Some(record) = self.entry.board.unfinished(id) else {
            return Ok(());
        };
        let event = StatementEvent::Finished {
            at: self.timestamp(at),
            cancelled,
        };
        let stored = if chunks > 0 {
            None
        } else {
            output.map(|text| checked(id, text))
        };
        let was_current = self.current == Some(id);
        let before = record.state;
        let (state, _) = before.on(event)?;
        let mut record = StatementRecord { state, ..record };
        self.core
            .store
            .update_statement(&mut record, stored.as_deref())
            .await?;
        let view = match stored {
            Some(text) => Ok(OutputView::Inline(Arc::from(text))),
            None => self.joined_output(&mut record, chunks).await,
        };
        let view = match view {
            Ok(view) => view,
            Err(error) => {
                // The agent says it again. The statement has not ended for us, but its row is newer.
                record.state = before;
                self.entry.board.show(record, OutputView::None);
                return Err(error);
            }
        };
        if was_current {
            self.current = None;
        }
        self.waiting.retain(|waiting| *waiting != id);
        self.record.last_activity = self.core.clock.now();
        // A client that sees the last statement's end must find the session idle, so the session is shown first.
        self.publish();
        self.entry.board.show(record, view);
        self.finished += 1;
        self.trim().await;
        self.dispatch_or_retry().await;
        Ok(())
    }

    /// Cancels one. Unknown and finished ones need no cancelling.
    pub(super) async fn cancel(&mut self, id: StatementId) -> Result<(), SessionError> {
        if !self.record.state.accepts_statements() {
            return Err(SessionError::not_active(&self.record.state));
        }
        let Some(record) = self.entry.board.unfinished(id) else {
            return Ok(());
        };
        self.record.last_activity = self.core.clock.now();
        // As with a result: who sees the last one cancelled must find the session idle.
        let was_waiting = self.waiting.iter().position(|waiting| *waiting == id);
        self.waiting.retain(|waiting| *waiting != id);
        self.publish();
        let now = self.core.clock.now();
        if let Err(error) = self.step(&record, StatementEvent::Cancel(now), None).await {
            if let Some(place) = was_waiting {
                self.waiting.insert(place, id);
            }
            self.publish();
            return Err(error);
        }
        Ok(())
    }

    /// Cancels those that wait, then the one that runs.
    pub(super) async fn cancel_all(&mut self) -> Result<(), SessionError> {
        let all: Vec<StatementId> = self.waiting.iter().copied().chain(self.current).collect();
        for id in all {
            self.cancel(id).await?;
        }
        Ok(())
    }

    /// The driver is gone: what ran has failed, what waited never ran.
    pub(super) async fn end_statements(&mut self, end: &End) {
        let ids: Vec<StatementId> = self
            .current
            .take()
            .into_iter()
            .chain(self.waiting.drain(..))
            .collect();
        for id in ids {
            let Some(record) = self.entry.board.unfinished(id) else {
                continue;
            };
            let output = lost_output(id, end);
            let lost = StatementEvent::DriverLost(self.core.clock.now());
            if let Err(error) = self.step(&record, lost, Some(&output)).await {
                tracing::error!(session.id = %self.record.id, statement.id = %id, error = %livius_domain::chain(&error), "cannot store a statement's end");
            }
        }
    }

    /// The same for those whose end could not be stored, or was never known here.
    pub(super) async fn end_stored_statements(&mut self, end: &End) -> Result<(), SessionError> {
        for record in self
            .core
            .store
            .unfinished_statements(self.record.id)
            .await?
        {
            let output = lost_output(record.id, end);
            let lost = StatementEvent::DriverLost(self.core.clock.now());
            self.step(&record, lost, Some(&output)).await?;
        }
        Ok(())
    }

    /// Takes up the statements of a session found in the store.
    pub(super) async fn recover_statements(&mut self) -> Result<(), SessionError> {
        for record in self
            .core
            .store
            .unfinished_statements(self.record.id)
            .await?
        {
            if record.state.is_dispatched() && self.current.is_none() {
                self.current = Some(record.id);
            } else {
                self.waiting.push_back(record.id);
            }
            self.entry.board.show(record, OutputView::None);
        }
        Ok(())
    }

    /// One step of a statement: stored, acted upon, shown.
    async fn step(
        &mut self,
        record: &StatementRecord,
        event: StatementEvent,
        lost: Option<&str>,
    ) -> Result<(), SessionError> {
        let (state, effect) = record.state.on(event)?;
        let mut record = StatementRecord {
            state,
            ..record.clone()
        };
        let output = lost.filter(|_| effect == Some(StatementEffect::WriteDriverLost));
        self.core
            .store
            .update_statement(&mut record, output)
            .await?;
        match effect {
            Some(StatementEffect::SendRun) => {
                self.send(Command::Run {
                    statement: record.id,
                    kind: record.kind,
                    code: record.code.clone(),
                });
            }
            Some(StatementEffect::SendCancel) => self.send(Command::Cancel {
                statement: record.id,
            }),
            Some(StatementEffect::WriteDriverLost) | None => {}
        }
        if record.state.is_final() {
            self.finished += 1;
        }
        let view = output.map_or(OutputView::None, |text| OutputView::Inline(Arc::from(text)));
        self.entry.board.show(record, view);
        Ok(())
    }

    /// The output that came in pieces; if some are missing, the words that say so take their place.
    async fn joined_output(
        &self,
        record: &mut StatementRecord,
        chunks: u32,
    ) -> Result<OutputView, SessionError> {
        let store = &self.core.store;
        let stored = store.statement(self.record.id, record.id).await?;
        let view = stored.map_or(OutputView::None, |stored| output_view(stored.output));
        match view {
            OutputView::Chunked { chunks: there, .. } if there == chunks => Ok(view),
            OutputView::None if chunks == 0 => Ok(view),
            _ => {
                let reason = "the output did not arrive whole: run the statement again";
                let text = error_output(record.id, "IncompleteOutput", reason);
                store.update_statement(record, Some(&text)).await?;
                Ok(OutputView::Inline(Arc::from(text)))
            }
        }
    }

    async fn trim(&mut self) {
        if self.finished >= TRIM_EVERY {
            self.finished = 0;
            let keep = self.core.config.limits.retained_statements as u64;
            if let Err(error) = self.core.store.trim_statements(self.record.id, keep).await {
                tracing::warn!(session.id = %self.record.id, error = %livius_domain::chain(&error), "cannot drop old statements");
            }
        }
    }

    /// The agent's clock, if it is a time at all; else ours.
    pub(super) fn timestamp(&self, millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap_or_else(|_| self.core.clock.now())
    }
}

/// The kind that a statement runs as.
fn statement_kind(asked: Option<Kind>, session: Kind) -> Result<Kind, SessionError> {
    match asked.unwrap_or(session) {
        Kind::Shared if asked.is_some() => Err(SessionError::InvalidStatement(
            "Invalid kind: shared. A statement runs as one of spark, pyspark, pyspark3, sparkr, sql".to_owned(),
        )),
        Kind::Shared => Err(SessionError::InvalidStatement(
            "Code type should be specified if session kind is shared: add \"kind\" to the statement".to_owned(),
        )),
        kind => Ok(kind),
    }
}

/// The output of a statement whose driver is gone, in Livy's form of an error.
fn lost_output(id: StatementId, end: &End) -> String {
    error_output(id, "SessionEnded", &end_reason(end))
}

/// Why code lost its driver, in words for its author.
pub(super) fn end_reason(end: &End) -> String {
    match (&end.failure, end.cause) {
        (Some(failure), _) => format!("{}. {}", failure.message, failure.hint),
        (None, Some(cause)) => format!(
            "the session was stopped while the code ran ({})",
            cause_words(cause)
        ),
        (None, None) => "the session ended while the code ran".to_owned(),
    }
}

/// An output is embedded in answers as it is, so it must be JSON.
fn checked(id: StatementId, text: String) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => text,
        Err(error) => error_output(
            id,
            "InvalidOutput",
            &format!("the driver's output is not JSON: {error}"),
        ),
    }
}

fn error_output(id: StatementId, ename: &str, evalue: &str) -> String {
    serde_json::json!({
        "status": "error",
        "execution_count": id.0,
        "ename": ename,
        "evalue": evalue,
        "traceback": [],
    })
    .to_string()
}

/// Why a session was stopped, in words that follow "stopped while the code ran".
pub(super) fn cause_words(cause: livius_domain::StopCause) -> &'static str {
    use livius_domain::StopCause as Cause;
    match cause {
        Cause::User => "on request",
        Cause::IdleTimeout => "it was idle for longer than its idleTimeout",
        Cause::Ttl => "it reached its ttl",
        Cause::Heartbeat => "no request named it within heartbeatTimeoutInSecond",
        Cause::Shutdown => "the server was shut down",
        Cause::StartTimeout => "its start took too long",
        Cause::Unreachable => "its driver could not be reached any more",
    }
}
