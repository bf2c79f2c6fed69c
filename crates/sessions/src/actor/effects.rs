//! Performs the effects of the session's state machine.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::{
    DriverProgram, End, SessionEffect, SessionEvent, SessionState, StopCause, chain,
};

use livius_failpoint::{Point, reach};
use tokio::sync::oneshot;

use super::Actor;
use super::words::cause_words;
use crate::error::SessionError;
use crate::logbook::lines_to_store;
use crate::registry::Live as _;

/// The pause between two attempts to store an end.
const SETTLE_PAUSE: Duration = Duration::from_millis(100);
const SETTLE_PAUSE_LONGEST: Duration = Duration::from_secs(5);

impl Actor {
    /// Applies one event to the session. If the store fails now, the actor stores the state with
    /// the next event, and at the latest at the end.
    pub(super) async fn apply(&mut self, event: SessionEvent) {
        let (state, effects) = self.record.state.clone().on(event);
        let changed = state != self.record.state;
        self.record.state = state;
        self.unstored |= changed;
        if changed {
            self.note_change();
        }
        let has_ended = changed && self.record.state.is_ended();
        if has_ended {
            self.record.ended_at = Some(self.core.clock.now());
            self.close().await;
        } else {
            let stored = self.store().await;
            self.log_unstored(stored);
        }
        reach(Point::SessionStepStored);
        for effect in effects {
            self.perform(effect).await;
        }
        reach(Point::SessionStepActed);
        if has_ended {
            let stored = self.store_end().await;
            self.end_is_stored = stored.is_ok();
            self.log_unstored(stored);
        }
        self.publish();
    }

    async fn store(&mut self) -> Result<(), SessionError> {
        if self.unstored {
            self.core.store.update_session(&mut self.record).await?;
            self.unstored = false;
        }
        Ok(())
    }

    fn log_unstored(&self, stored: Result<(), SessionError>) {
        if let Err(error) = stored {
            tracing::error!(session.id = %self.record.id, error = %chain(&error), "cannot store the session");
        }
    }

    pub(super) fn note_change(&self) {
        let id = self.record.id;
        let state = self.record.state.name();
        if let SessionState::Ended(end) = &self.record.state {
            self.core.config.audit.session_ended(&self.record, end);
        }
        match &self.record.state {
            SessionState::Ended(End {
                failure: Some(failure),
                ..
            }) => {
                tracing::warn!(session.id = %id, session.state = state, reason = failure.message, hint = failure.hint, "session failed");
            }
            SessionState::Ended(End {
                cause: Some(cause), ..
            }) => {
                tracing::info!(session.id = %id, session.state = state, reason = cause_words(*cause), "session stopped");
            }
            _ => tracing::info!(session.id = %id, session.state = state, "session state"),
        }
    }

    async fn perform(&mut self, effect: SessionEffect) {
        match effect {
            SessionEffect::StopDriver(cause) => self.entry.driver.stop(cause).await,
            SessionEffect::EndStatements => {
                if let SessionState::Ended(end) = self.record.state.clone() {
                    self.end_statements(&end).await;
                }
            }
        }
    }

    /// Takes up a session from the store. False when the server stops before that is done.
    pub(super) async fn recover(&mut self) -> bool {
        self.record.last_activity = self.core.clock.now();
        if !self.recover_all_work().await {
            return false;
        }
        if self.entry.is_hidden() {
            // The session was deleted: that holds, whatever came of its end.
            self.apply(SessionEvent::Stop(StopCause::User)).await;
        }
        if let SessionState::Stopping { cause, .. } = &self.record.state {
            // The driver may not have been told before the crash.
            let cause = cause.unwrap_or(StopCause::User);
            self.entry.driver.stop(cause).await;
        }
        true
    }

    /// Reads the unfinished work from the store, and retries until it succeeds. False when the
    /// server stops before.
    async fn recover_all_work(&mut self) -> bool {
        let lifecycle = self.core.lifecycle.clone();
        let mut pause = SETTLE_PAUSE;
        while let Err(error) = self.recover_work().await {
            tracing::error!(session.id = %self.record.id, error = %chain(&error), "cannot read the session's statements and jobs; trying again");
            tokio::select! {
                () = lifecycle.stopping() => return false,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(SETTLE_PAUSE_LONGEST),
            }
        }
        true
    }

    async fn recover_work(&mut self) -> Result<(), SessionError> {
        self.pending.clear();
        self.jobs.clear();
        self.statements.clear();
        self.recover_resources().await?;
        self.recover_jobs().await?;
        self.recover_statements().await
    }

    /// Takes the session off the list, so that no client sees it from now on, and ends its driver.
    /// A deletion that cannot be stored does not happen, because the next server would not know of
    /// it.
    pub(super) async fn delete(
        &mut self,
        cause: StopCause,
        reply: Option<oneshot::Sender<Result<(), SessionError>>>,
    ) {
        let id = self.record.id;
        let unlisted = self.core.store.unlist_session(id).await;
        if let Err(error) = &unlisted {
            tracing::error!(session.id = %id, error = %chain(error), "cannot take the session off the list");
        }
        let deleted = unlisted.is_ok();
        if deleted {
            reach(Point::SessionUnlisted);
            self.core.registry.hide(&self.entry);
            self.core.changes.session(&self.record, None);
            self.entry.driver.stop(cause).await;
            reach(Point::SessionDriverStopped);
        }
        if let Some(reply) = reply {
            let _ = reply.send(unlisted.map(drop).map_err(SessionError::from));
        }
        if deleted {
            self.apply(SessionEvent::Stop(cause)).await;
        }
    }

    /// Makes sure that the end of the session and of its statements is stored, for as long as it
    /// takes.
    pub(super) async fn settle(&mut self) {
        if self.end_is_stored {
            return;
        }
        let lifecycle = self.core.lifecycle.clone();
        let mut pause = SETTLE_PAUSE;
        while let Err(error) = self.store_end().await {
            if error.is_conflict() {
                tracing::error!(session.id = %self.record.id, "another server drives the session now");
                return;
            }
            tracing::error!(session.id = %self.record.id, error = %chain(&error), "cannot store the session's end; trying again");
            tokio::select! {
                // The next server finds the session unended, and its driver gone.
                () = lifecycle.stopping() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(SETTLE_PAUSE_LONGEST),
            }
        }
    }

    /// Stores the session last, because the next server recovers only sessions that have not ended.
    async fn store_end(&mut self) -> Result<(), SessionError> {
        if let SessionState::Ended(end) = self.record.state.clone() {
            self.end_stored_statements(&end).await?;
            self.end_jobs(&end).await?;
            self.end_resources().await?;
        }
        self.unstored = true;
        self.store().await
    }

    /// The session has ended: answers the waiting requests, and removes the files that only a
    /// living driver needs.
    pub(super) async fn leave(&mut self) {
        self.settle().await;
        reach(Point::SessionEndStored);
        self.pending.clear();
        self.entry.driver.files.clear_temporary().await;
        reach(Point::SessionFilesCleared);
        self.setup.place = None;
        self.core.registry.remove(&self.entry);
        for waiter in self.stop_waiters.drain(..) {
            let _ = waiter.send(());
        }
    }

    /// Completes the session's log and record. No driver will need the secrets of the request.
    pub(super) async fn close(&mut self) {
        self.explain_end().await;
        Arc::make_mut(&mut self.record.request).hide_secrets();
        let log = Arc::clone(&self.entry.driver.log);
        self.record.last_lines = lines_to_store(self.record.id.0, log).await;
    }

    /// Writes into the session's log why it ended: users look there first.
    async fn explain_end(&self) {
        let SessionState::Ended(end) = &self.record.state else {
            return;
        };
        let text = match (&end.failure, end.cause) {
            (Some(failure), _) => {
                format!("livius: {}\nlivius: {}\n", failure.message, failure.hint)
            }
            (None, Some(cause)) => {
                format!("livius: the session was stopped ({})\n", cause_words(cause))
            }
            (None, None) => return,
        };
        if let Err(error) = self
            .entry
            .driver
            .files
            .explain(DriverProgram::Agent, &text)
            .await
        {
            tracing::warn!(session.id = %self.record.id, %error, "cannot write to the session's log");
        }
    }
}
