//! The actor and its statements: the queue, the one that runs, and how each ends.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_agent_link::Command;
use livius_domain::{
    End, Kind, StatementEffect, StatementEvent, StatementId, StatementRecord, StatementState, chain,
};
use livius_failpoint::{Point, reach};
use tokio::time::Instant;

use super::Actor;
use super::measured::{self, Ended};
use super::words::{checked_output, incomplete_output, lost_output};
use crate::board::output_view;
use crate::error::SessionError;
use crate::keys::Keyed;
use crate::message::{Check, Posted};
use crate::results::{self, Budget, SHORT_BYTES};
use crate::view::{OutputView, StatementView};

/// Statements are trimmed after so many have finished.
const TRIM_EVERY: u64 = 64;

/// Code that may wait in one session, in bytes.
const WAITING_BYTES: usize = 128 << 20;

/// The pause between two attempts to hand over a statement.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Actor {
    /// Stores a statement and gives it to the driver if it is its turn.
    pub(super) async fn post_statement(
        &mut self,
        posted: Posted,
    ) -> Result<StatementView, SessionError> {
        let Posted { new, key, webhook } = posted;
        let kind = self.check_statement(new.code.len(), new.kind)?;
        let record = self
            .core
            .store
            .create_statement(
                self.record.id,
                kind,
                &new.code,
                key.as_ref().map(Keyed::row),
                webhook.as_ref(),
            )
            .await
            .map_err(SessionError::not_created)?;
        reach(Point::StatementCreated);
        drop(new);
        let id = record.id;
        self.record.last_activity = self.core.clock.now();
        self.statements.add(record.clone());
        self.publish();
        self.show_on_board(record.clone(), OutputView::None);
        self.dispatch_or_retry().await;
        let shown = self.entry.board.get(id);
        Ok(shown.unwrap_or(StatementView {
            record,
            output: OutputView::None,
            progress: 0.0,
        }))
    }

    /// Tells whether work could be posted.
    pub(super) fn check(&self, check: Check) -> Result<(), SessionError> {
        match check {
            Check::Statement { bytes, kind } => self.check_statement(bytes, kind).map(|_| ()),
            Check::Job { bytes } => self.check_job(bytes),
        }
    }

    /// Returns the kind of a statement that can be posted.
    fn check_statement(&self, bytes: usize, kind: Option<Kind>) -> Result<Kind, SessionError> {
        if !self.record.state.accepts_statements() {
            return Err(SessionError::not_active(&self.record.state));
        }
        self.check_room_for_code(bytes)?;
        statement_kind(kind, self.record.request.kind)
    }

    fn check_room_for_code(&self, more: usize) -> Result<(), SessionError> {
        let session = self.record.id;
        let limit = self.core.config.limits.waiting_statements;
        if self.statements.waiting() >= limit {
            return Err(SessionError::TooManyStatements { session, limit });
        }
        if self.statements.bytes() + more > WAITING_BYTES {
            let limit = WAITING_BYTES;
            return Err(SessionError::TooMuchCode { session, limit });
        }
        let limit = self.core.config.limits.waiting_code_bytes;
        if self.core.texts.bytes().saturating_add(more) > limit {
            return Err(SessionError::TooMuchCodeOfAll { limit });
        }
        Ok(())
    }

    /// Hands the next statement over; if it cannot be stored, some time later.
    pub(super) async fn dispatch_or_retry(&mut self) {
        let dispatched = self.dispatch().await;
        self.retry_after(dispatched);
    }

    pub(super) fn retry_after(&mut self, dispatched: Result<(), SessionError>) {
        if let Err(error) = dispatched {
            tracing::error!(session.id = %self.record.id, error = %chain(&error), "cannot hand over what is to run; trying again");
            self.retry = Some(Instant::now() + RETRY_PAUSE);
        }
    }

    /// Hands the next statement over when the driver has none.
    pub(super) async fn dispatch(&mut self) -> Result<(), SessionError> {
        if !self.is_reachable() {
            return Ok(());
        }
        match self.statements.next() {
            Some(record) => self.step(record, StatementEvent::Dispatch, None).await,
            None => Ok(()),
        }
    }

    /// Repeats the commands that the agent may have missed while the link was lost. The agent
    /// ignores commands that it knows.
    pub(super) async fn dispatch_again(&mut self) -> Result<(), SessionError> {
        let Some(record) = self.statements.current() else {
            return self.dispatch().await;
        };
        let statement = record.id;
        let cancelling = matches!(record.state, StatementState::Cancelling { .. });
        self.step(record, StatementEvent::Dispatch, None).await?;
        if cancelling {
            self.send(Command::Cancel {
                statement,
                force: false,
            });
        }
        Ok(())
    }

    pub(super) async fn statement_started(
        &mut self,
        id: StatementId,
        at: i64,
    ) -> Result<(), SessionError> {
        match self.statements.get(id) {
            Some(record) if record.state.is_dispatched() => {
                let started = StatementEvent::Started(self.timestamp(at));
                self.step(record, started, None).await
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
        let Some(record) = self.statements.get(id) else {
            return Ok(());
        };
        let event = StatementEvent::Finished {
            at: self.timestamp(at),
            cancelled,
        };
        let stored = if chunks > 0 {
            None
        } else {
            output.map(|text| checked_output(id, text))
        };
        let before = record.state;
        let (state, _) = before.on(event)?;
        let mut record = StatementRecord { state, ..record };
        self.core
            .store
            .update_statement(&mut record, stored.as_deref())
            .await?;
        reach(Point::StatementEndStored);
        let view = match stored {
            Some(text) => Ok(OutputView::Inline(Arc::from(text))),
            None => self.joined_output(&mut record, chunks).await,
        };
        let view = match view {
            Ok(view) => view,
            Err(error) => {
                // The agent says it again. The statement has not ended for us, but its row is
                // newer.
                record.state = before;
                self.statements.update(&record);
                return Err(error);
            }
        };
        self.statements.update(&record);
        let ended = match &view {
            OutputView::Inline(text) => Ended::WithOutput(Some(text)),
            OutputView::None | OutputView::Chunked { .. } => Ended::WithOutput(None),
        };
        measured::count(&self.core.config.metrics, &record, ended);
        self.record.last_activity = self.core.clock.now();
        let is_long = match &view {
            OutputView::None => false,
            OutputView::Inline(text) => text.len() > SHORT_BYTES,
            OutputView::Chunked { .. } => true,
        };
        self.show(record, view);
        reach(Point::StatementEndShown);
        self.trim().await;
        self.keep_results_within(is_long).await;
        self.dispatch_or_retry().await;
        Ok(())
    }

    /// Cancels one. Unknown and finished ones need no cancelling. The second cancel of a running one
    /// stops it by force.
    pub(super) async fn cancel(&mut self, id: StatementId) -> Result<(), SessionError> {
        if !self.record.state.accepts_statements() {
            return Err(SessionError::not_active(&self.record.state));
        }
        let Some(record) = self.statements.get(id) else {
            return Ok(());
        };
        let now = self.core.clock.now();
        self.record.last_activity = now;
        self.step(record, StatementEvent::Cancel(now), None).await
    }

    /// Cancels those that wait, then the one that runs.
    pub(super) async fn cancel_all(&mut self) -> Result<(), SessionError> {
        for id in self.statements.ids_to_cancel() {
            self.cancel(id).await?;
        }
        Ok(())
    }

    /// Ends the statements, because the driver is gone: the running one has failed, and the waiting
    /// ones never ran.
    pub(super) async fn end_statements(&mut self, end: &End) {
        for id in self.statements.ids() {
            let Some(record) = self.statements.get(id) else {
                continue;
            };
            if let Err(error) = self.lose_statement(record, end).await {
                tracing::error!(session.id = %self.record.id, statement.id = %id, error = %chain(&error), "cannot store a statement's end");
            }
        }
        self.statements.clear();
    }

    /// The same for those whose end could not be stored, or was never known here.
    pub(super) async fn end_stored_statements(&mut self, end: &End) -> Result<(), SessionError> {
        let store = &self.core.store;
        for record in store.unfinished_statements(self.record.id).await? {
            self.lose_statement(record, end).await?;
        }
        Ok(())
    }

    async fn lose_statement(
        &mut self,
        record: StatementRecord,
        end: &End,
    ) -> Result<(), SessionError> {
        let output = lost_output(record.id, end);
        let lost = StatementEvent::DriverLost(self.core.clock.now());
        self.step(record, lost, Some(&output)).await
    }

    /// Takes up the statements of a session found in the store.
    pub(super) async fn recover_statements(&mut self) -> Result<(), SessionError> {
        let store = &self.core.store;
        for record in store.unfinished_statements(self.record.id).await? {
            self.statements.add(record.clone());
            self.show_on_board(record, OutputView::None);
        }
        Ok(())
    }

    /// One step of a statement: stored, acted upon, shown.
    async fn step(
        &mut self,
        record: StatementRecord,
        event: StatementEvent,
        lost: Option<&str>,
    ) -> Result<(), SessionError> {
        let had_ended = record.state.is_final();
        let (state, effect) = record.state.on(event)?;
        let mut record = StatementRecord { state, ..record };
        let output = lost.filter(|_| effect == Some(StatementEffect::WriteDriverLost));
        self.core
            .store
            .update_statement(&mut record, output)
            .await?;
        reach(Point::StatementStepStored);
        self.statements.update(&record);
        if record.state.is_final() && !had_ended {
            measured::count(&self.core.config.metrics, &record, Ended::WithDriver);
        }
        match effect {
            Some(StatementEffect::SendRun) => {
                self.send(Command::Run {
                    statement: record.id,
                    kind: record.kind,
                    code: Arc::clone(&record.code),
                });
            }
            Some(StatementEffect::SendCancel) => self.send(Command::Cancel {
                statement: record.id,
                force: false,
            }),
            Some(StatementEffect::SendKill) => self.send(Command::Cancel {
                statement: record.id,
                force: true,
            }),
            Some(StatementEffect::WriteDriverLost) | None => {}
        }
        reach(Point::StatementStepActed);
        let view = output.map_or(OutputView::None, |text| OutputView::Inline(Arc::from(text)));
        self.show(record, view);
        Ok(())
    }

    /// Shows a statement. A client that sees the last one end must find the session idle, so the
    /// session is shown first. At the session's own end the session is shown last: its end is not
    /// stored yet.
    fn show(&mut self, record: StatementRecord, output: OutputView) {
        if record.state.is_final() {
            self.finished += 1;
            if !self.record.state.is_ended() {
                self.publish();
            }
        }
        self.show_on_board(record, output);
    }

    /// Readers that wait are woken when the board has the statement.
    fn show_on_board(&self, record: StatementRecord, output: OutputView) {
        self.entry.board.show(record, output);
        self.setup.publisher.bump();
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
                let text = incomplete_output(record.id);
                store.update_statement(record, Some(&text)).await?;
                Ok(OutputView::Inline(Arc::from(text)))
            }
        }
    }

    /// Makes room for a result that has just come. A short one does not count.
    pub(super) async fn keep_results_within(&self, is_long: bool) {
        if is_long {
            results::keep_within(&self.core, Budget::Session(self.record.id)).await;
        }
    }

    async fn trim(&mut self) {
        if self.finished >= TRIM_EVERY {
            self.finished = 0;
            let keep = self.core.config.limits.retained_statements as u64;
            if let Err(error) = self.core.store.trim_statements(self.record.id, keep).await {
                tracing::warn!(session.id = %self.record.id, error = %chain(&error), "cannot drop old statements");
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
        Kind::Shared if asked.is_some() => Err(SessionError::SharedStatement),
        Kind::Shared => Err(SessionError::StatementNeedsKind),
        kind => Ok(kind),
    }
}
