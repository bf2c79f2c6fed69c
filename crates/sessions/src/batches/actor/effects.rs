//! What the batch's state machine wants done, and how it is done.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::batch::BatchStart;
use livius_domain::{
    BatchEffect, BatchEvent, BatchOutcome, BatchState, DriverProgram, StopCause, chain,
};
use livius_launch::RunningDriver;

use super::{Actor, Report, join_queue};
use crate::batches::turns::Turn;
use crate::error::SessionError;
use crate::request;

/// Between two attempts to store an end.
const SETTLE_PAUSE: Duration = Duration::from_millis(100);
const SETTLE_PAUSE_LONGEST: Duration = Duration::from_secs(5);

/// Before a turn is tried again that could not be stored.
const TURN_PAUSE: Duration = Duration::from_millis(500);

impl Actor {
    /// Takes the batch one event further. What cannot be stored now is stored with the next event, and at the latest at the end.
    pub(super) async fn apply(&mut self, event: BatchEvent) {
        if let Err(error) = self.try_apply(event).await {
            tracing::error!(batch.id = %self.record.id, error = %chain(&error), "cannot store the batch");
        }
    }

    /// The same for what somebody else keeps until it is stored.
    pub(super) async fn try_apply(&mut self, event: BatchEvent) -> Result<(), SessionError> {
        let (state, effects) = match self.record.state.clone().on(event) {
            Ok(step) => step,
            Err(error) => {
                tracing::error!(batch.id = %self.record.id, %error, "ignoring an event that cannot be");
                return Ok(());
            }
        };
        let changed = state != self.record.state;
        let before = std::mem::replace(&mut self.record.state, state);
        for effect in &effects {
            if let BatchEffect::RecordApp(app) = effect {
                self.record.app = Some(app.clone());
            }
        }
        if changed {
            self.note_change();
            self.explain_end().await;
        }
        let stored = if changed || !effects.is_empty() {
            self.core.store.update_batch(&mut self.record).await
        } else {
            Ok(())
        };
        if stored.is_err() && effects.contains(&BatchEffect::Launch) {
            // What is started without being stored would be started again by the next server.
            self.record.state = before;
            self.record.times.launched_at = None;
            return Ok(stored?);
        }
        for effect in &effects {
            self.perform(effect);
        }
        self.publish();
        Ok(stored?)
    }

    /// Writes down when it came to be, and says so.
    fn note_change(&mut self) {
        let now = self.core.clock.now();
        let times = &mut self.record.times;
        match &self.record.state {
            BatchState::Starting { step } => match step {
                BatchStart::Queued => times.launched_at = None,
                BatchStart::Launching => times.launched_at = Some(now),
                BatchStart::Submitted => {}
            },
            BatchState::Running => times.running_at = times.running_at.or(Some(now)),
            BatchState::Stopping { .. } => times.stopping_at = times.stopping_at.or(Some(now)),
            BatchState::Ended(_) => times.ended_at = Some(now),
        }
        let (id, state) = (self.record.id, self.record.state.name());
        match &self.record.state {
            BatchState::Running => {
                let app = self.record.app.as_ref().map(|app| app.app_id.as_str());
                tracing::info!(batch.id = %id, batch.state = state, app.id = app, "batch state");
                self.let_others_start();
            }
            BatchState::Ended(end) => {
                let reason = end.failure.as_ref().map(|failure| failure.message.as_str());
                let exit = end.exit.map(|exit| exit.to_string());
                tracing::info!(batch.id = %id, batch.state = state, exit, reason, "batch ended");
            }
            _ => tracing::info!(batch.id = %id, batch.state = state, "batch state"),
        }
    }

    fn perform(&mut self, effect: &BatchEffect) {
        match effect {
            BatchEffect::Queue => {
                // It is given another place when its turn comes.
                self.own.running = None;
                join_queue(&self.core, self.record.id, self.own.reports.clone());
            }
            BatchEffect::Launch => self.launch(),
            BatchEffect::Terminate => self.terminate(),
            BatchEffect::RecordApp(_) => {}
        }
    }

    /// Keeps a turn that cannot be taken now.
    pub(super) fn take_turn_later(&self, turn: Turn) {
        let reports = self.own.reports.clone();
        self.core.lifecycle.spawn(async move {
            tokio::select! {
                () = reports.closed() => {}
                () = tokio::time::sleep(TURN_PAUSE) => {
                    let _ = reports.send(Report::Turn(turn)).await;
                }
            }
        });
    }

    /// Names the process that is about to be started, anew for each attempt. That is stored before it is started.
    pub(super) async fn name_driver(&mut self) {
        let (driver, token) = request::new_batch_driver(self.record.id);
        let before = self.record.driver.take();
        // What an attempt left that never came to anything.
        if let Some(before) = &before {
            self.core.launcher.files(&before.id).remove().await;
        }
        let before = before.map(|driver| driver.id);
        let registry = &self.core.registry;
        registry.name_driver(self.record.id, driver.id.clone(), before.as_ref());
        self.entry
            .log_to(self.core.launcher.files(&driver.id).log());
        self.record.driver = Some(driver);
        self.token = Some(token);
    }

    fn launch(&mut self) {
        let (core, record, reports) = (
            Arc::clone(&self.core),
            self.record.clone(),
            self.own.reports.clone(),
        );
        let token = self.token.take();
        self.core.lifecycle.spawn(async move {
            let config = &core.config;
            let launched = match request::batch_order(config, &record, token) {
                Ok(order) => core.launcher.launch(order).await,
                Err(failure) => Err(failure),
            };
            let _ = reports.send(Report::Launched(launched)).await;
        });
    }

    /// Keeps a started process, and listens for its end.
    pub(super) fn take_process(&mut self, process: Arc<dyn RunningDriver>) {
        if let Some(driver) = &mut self.record.driver {
            driver.location = Some(process.location());
        }
        let (watched, reports) = (Arc::clone(&process), self.own.reports.clone());
        self.core.lifecycle.spawn(async move {
            tokio::select! {
                () = reports.closed() => {}
                departure = watched.ended() => {
                    let _ = reports.send(Report::Gone(departure)).await;
                }
            }
        });
        self.process = Some(process);
    }

    pub(super) fn terminate(&mut self) {
        let Some(process) = self.process.clone() else {
            return;
        };
        let grace = self.grace;
        self.core.lifecycle.spawn(async move {
            process.terminate(grace).await;
        });
    }

    /// The batch has ended: that is stored for as long as it takes, whoever waited for it is told, and its places are given back.
    pub(super) async fn leave(&mut self) {
        self.process = None;
        self.own.running = None;
        self.own.waiting = None;
        self.let_others_start();
        let lifecycle = self.core.lifecycle.clone();
        let mut pause = SETTLE_PAUSE;
        while let Err(error) = self.core.store.update_batch(&mut self.record).await {
            tracing::error!(batch.id = %self.record.id, error = %chain(&error), "cannot store the batch's end; trying again");
            tokio::select! {
                // The next server finds the batch unended, and its process gone.
                () = lifecycle.stopping() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(SETTLE_PAUSE_LONGEST),
            }
        }
        self.core.registry.remove(&self.entry);
        if self.entry.is_hidden()
            && let Some(driver) = &self.record.driver
        {
            self.core.launcher.files(&driver.id).remove().await;
        }
        for waiter in self.waiters.drain(..) {
            let _ = waiter.send(());
        }
    }

    /// Writes into the batch's log why it ended: that is where its users look first.
    async fn explain_end(&self) {
        let (BatchState::Ended(end), Some(driver)) = (&self.record.state, &self.record.driver)
        else {
            return;
        };
        let text = match (&end.failure, end.cause, end.outcome) {
            (Some(failure), _, _) => {
                format!("livius: {}\nlivius: {}\n", failure.message, failure.hint)
            }
            (None, Some(cause), BatchOutcome::Killed) => {
                format!("livius: the batch was killed ({})\n", by(cause))
            }
            _ => return,
        };
        let files = self.core.launcher.files(&driver.id);
        if let Err(error) = files.explain(DriverProgram::Application, &text).await {
            tracing::warn!(batch.id = %self.record.id, %error, "cannot write to the batch's log");
        }
    }
}

fn by(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Shutdown => "the server was shut down",
        _ => "on request",
    }
}
