//! What the session's state machine wants done, and how it is done.

use std::sync::Arc;
use std::time::Duration;

use livius_agent_link::Command;
use livius_domain::{DriverProgram, End, Exit, SessionEffect, SessionEvent, SessionState, chain};
use livius_launch::{Found, RunningDriver};
use tokio::time::Instant;

use super::words::cause_words;
use super::{Actor, Report};
use crate::error::SessionError;
use crate::request;

/// Between two attempts to store an end.
const SETTLE_PAUSE: Duration = Duration::from_millis(100);
const SETTLE_PAUSE_LONGEST: Duration = Duration::from_secs(5);

impl Actor {
    /// Takes the session one event further. What cannot be stored now is stored with the next event, and at the latest at the end.
    pub(super) async fn apply(&mut self, event: SessionEvent) {
        if let Err(error) = self.try_apply(event).await {
            tracing::error!(session.id = %self.record.id, error = %chain(&error), "cannot store the session");
        }
    }

    /// The same for what somebody else keeps until it is stored.
    pub(super) async fn try_apply(&mut self, event: SessionEvent) -> Result<(), SessionError> {
        let (state, effects) = match self.record.state.clone().on(event) {
            Ok(step) => step,
            Err(error) => {
                tracing::error!(session.id = %self.record.id, %error, "ignoring an event that cannot be");
                return Ok(());
            }
        };
        let changed = state != self.record.state;
        self.record.state = state;
        for effect in &effects {
            if let SessionEffect::RecordApp(app) = effect {
                self.record.app = Some(app.clone());
            }
        }
        if changed {
            self.note_change();
        }
        if self.record.state.is_ended() {
            self.record.ended_at = Some(self.core.clock.now());
            self.explain_end().await;
        }
        let has_ended = changed && self.record.state.is_ended();
        let mut stored = Ok(());
        if !has_ended && (changed || !effects.is_empty()) {
            stored = self.core.store.update_session(&mut self.record).await;
        }
        let mut stored = stored.map_err(SessionError::from);
        for effect in effects {
            self.perform(effect).await;
        }
        if has_ended {
            stored = self.store_end().await;
            self.end_is_stored = stored.is_ok();
        }
        self.publish();
        stored
    }

    fn note_change(&self) {
        let id = self.record.id;
        let state = self.record.state.name();
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
            SessionEffect::Launch => self.launch(),
            SessionEffect::AskToStop => self.ask_to_stop(),
            SessionEffect::Terminate => self.terminate(),
            SessionEffect::RecordApp(_) => {}
            SessionEffect::Dispatch => self.hand_over_or_retry().await,
            SessionEffect::EndStatements => {
                if let SessionState::Ended(end) = self.record.state.clone() {
                    self.end_statements(&end).await;
                }
            }
        }
    }

    /// Gives the driver all that it may not have; what cannot be stored now, some time later.
    pub(super) async fn hand_over_or_retry(&mut self) {
        self.retry = None;
        let handed_over = self.hand_over().await;
        self.retry_after(handed_over);
    }

    /// Files come first, as what follows may need them.
    async fn hand_over(&mut self) -> Result<(), SessionError> {
        if !self.is_reachable() {
            return Ok(());
        }
        self.hand_over_resources();
        self.dispatch_again().await?;
        self.hand_over_jobs().await
    }

    pub(super) fn await_start_permit(&self) {
        let (slots, reports) = (Arc::clone(&self.core.start_slots), self.own.reports.clone());
        self.core.lifecycle.spawn(async move {
            tokio::select! {
                // The session may end while it waits; then nobody wants the permit.
                () = reports.closed() => {}
                permit = slots.acquire_owned() => {
                    if let Ok(permit) = permit {
                        let _ = reports.send(Report::Allowed(permit)).await;
                    }
                }
            }
        });
    }

    fn launch(&mut self) {
        let (core, record, reports) = (
            Arc::clone(&self.core),
            self.record.clone(),
            self.own.reports.clone(),
        );
        let token = self.own.token.take();
        self.core.lifecycle.spawn(async move {
            let launched = match request::order(&core.config, &record, token) {
                Ok(order) => core.launcher.launch(order).await,
                Err(failure) => Err(failure),
            };
            let _ = reports.send(Report::Launched(launched)).await;
        });
    }

    /// Keeps a started driver, and listens for its end.
    pub(super) fn take_process(&mut self, process: Arc<dyn RunningDriver>) {
        if let Some(driver) = &mut self.record.driver {
            driver.location = Some(process.location());
        }
        let (watched, reports) = (Arc::clone(&process), self.own.reports.clone());
        self.core.lifecycle.spawn(async move {
            tokio::select! {
                () = reports.closed() => {}
                departure = watched.ended() => {
                    let _ = reports.send(Report::Exited(departure.exit)).await;
                }
            }
        });
        self.process = Some(process);
    }

    fn ask_to_stop(&mut self) {
        self.send(Command::Stop);
        // An agent that comes and goes is asked each time, and gets no more time for it. Where nobody is there to be asked, time is up.
        let grace = match self.link {
            Some(_) => self.core.config.limits.stop_grace,
            None => Duration::ZERO,
        };
        self.stop_overdue.get_or_insert(Instant::now() + grace);
    }

    pub(super) fn terminate(&mut self) {
        self.stop_overdue = None;
        let Some(process) = self.process.clone() else {
            return;
        };
        let grace = self.force_grace;
        self.core.lifecycle.spawn(async move {
            process.terminate(grace).await;
        });
    }

    /// Takes a session up that was found in the store.
    pub(super) async fn recover(&mut self) {
        let now = self.core.clock.now();
        self.record.last_activity = now;
        self.entry.start_began.set(now);
        self.entry.link_lost.set(now);
        if !self.recover_all_work().await {
            return;
        }
        if self.record.state == SessionState::NEW {
            self.await_start_permit();
            return self.publish();
        }
        let Some(driver) = self.record.driver.clone() else {
            return self.apply(SessionEvent::DriverExited(Exit::Unknown)).await;
        };
        match self
            .core
            .launcher
            .find(&driver.id, driver.location.as_ref())
            .await
        {
            Found::Alive(process) => {
                self.take_process(process);
                self.apply(SessionEvent::Recovered { alive: true }).await;
            }
            Found::Ended(departure) => {
                self.apply(SessionEvent::DriverExited(departure.exit)).await;
            }
            Found::NeverStarted => {
                self.apply(SessionEvent::DriverExited(Exit::Unknown)).await;
            }
        }
    }

    /// Nothing can be said of a session's work that cannot be read, so it is read for as long as it takes; false when the server stops before.
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

    /// Takes the session off the list: from now on nobody is shown it.
    pub(super) async fn hide(&mut self) {
        self.core.registry.hide(&self.entry);
        if let Err(error) = self.core.store.unlist_session(self.record.id).await {
            let error = SessionError::from(error);
            tracing::error!(session.id = %self.record.id, error = %chain(&error), "cannot take the session off the list");
        }
    }

    /// Makes sure that the end of the session and of its statements is stored, for as long as it takes.
    pub(super) async fn settle(&mut self) {
        if self.end_is_stored {
            return;
        }
        let lifecycle = self.core.lifecycle.clone();
        let mut pause = SETTLE_PAUSE;
        while let Err(error) = self.store_end().await {
            tracing::error!(session.id = %self.record.id, error = %chain(&error), "cannot store the session's end; trying again");
            tokio::select! {
                // The next server finds the session unended, and its driver gone.
                () = lifecycle.stopping() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(SETTLE_PAUSE_LONGEST),
            }
        }
    }

    /// The session itself comes last: the next server takes up again what has not ended.
    async fn store_end(&mut self) -> Result<(), SessionError> {
        if let SessionState::Ended(end) = self.record.state.clone() {
            self.end_stored_statements(&end).await?;
            self.end_jobs(&end).await?;
            self.end_resources().await?;
        }
        Ok(self.core.store.update_session(&mut self.record).await?)
    }

    /// The session has ended: whoever waited for it is told, and what it needed alive is let go.
    pub(super) async fn leave(&mut self) {
        self.settle().await;
        self.start_permit = None;
        self.link = None;
        self.pending.clear();
        if let Some(driver) = &self.record.driver {
            self.core.launcher.files(&driver.id).clear_work().await;
        }
        self.core.registry.remove(self.record.id);
        for waiter in self.stop_waiters.drain(..) {
            let _ = waiter.send(());
        }
    }

    /// Writes into the session's log why it ended: that is where its users look first.
    async fn explain_end(&self) {
        let (SessionState::Ended(end), Some(driver)) = (&self.record.state, &self.record.driver)
        else {
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
        let files = self.core.launcher.files(&driver.id);
        let written = files.explain(DriverProgram::Agent, &text).await;
        if let Err(error) = written {
            tracing::warn!(session.id = %self.record.id, %error, "cannot write to the session's log");
        }
    }

    /// Whether a statement handed over now would arrive.
    pub(super) fn is_reachable(&self) -> bool {
        self.link.is_some() && matches!(self.record.state, SessionState::Running { .. })
    }
}
