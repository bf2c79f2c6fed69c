//! One step of a driver: stored, acted upon, published.

use std::time::Duration;

use livius_agent_link::Command;
use livius_domain::{DriverEffect, DriverEvent, DriverProgram, DriverState, chain};
use livius_failpoint::{Point, reach};
use secrecy::SecretString;
use tokio::time::Instant;

use super::actor::DriverActor;
use crate::error::SessionError;
use crate::secret;

/// The pause between two attempts to store an end.
const SETTLE_PAUSE: Duration = Duration::from_millis(100);
const SETTLE_PAUSE_LONGEST: Duration = Duration::from_secs(5);

impl DriverActor {
    /// Applies one event to the driver. If the store fails now, the actor stores the state with the
    /// next event, and at the latest at the end.
    pub(super) async fn apply(&mut self, event: DriverEvent) {
        if let Err(error) = self.try_apply(event).await {
            tracing::error!(driver.id = %self.record.id, error = %chain(&error), "cannot store the driver");
        }
    }

    /// The same for a caller that keeps the event until it is stored.
    pub(super) async fn try_apply(&mut self, event: DriverEvent) -> Result<(), SessionError> {
        let before = self.record.clone();
        let step = before.state.clone().on(self.record.program, event);
        let (state, effects) = match step {
            Ok(step) => step,
            Err(error) => {
                tracing::error!(driver.id = %self.record.id, %error, "ignoring an event that cannot happen");
                return Ok(());
            }
        };
        let changed = state != before.state;
        self.record.state = state;
        if changed {
            self.measure_phase(&before.state);
            self.note_change(&before.state);
        }
        let launches = effects.contains(&DriverEffect::Launch);
        let token = launches.then(|| self.new_secret());
        let stored = self.store(changed).await;
        if launches && stored.is_err() {
            // A driver that is started without being stored would be started again by the next
            // server.
            self.record = before;
            return stored;
        }
        reach(Point::DriverStepStored);
        self.handle.token_hash().clone_from(&self.record.token_hash);
        for effect in effects {
            self.perform(effect, token.clone());
        }
        reach(Point::DriverStepActed);
        self.publish();
        stored
    }

    /// Each launch has a new secret. The store has its hash, and the driver has the secret.
    fn new_secret(&mut self) -> SecretString {
        let (token, key) = secret::new_token();
        self.record.token_hash = Some(key.as_hash().to_owned());
        token
    }

    /// Stores a change of the record that is none of the state, and publishes it.
    pub(super) async fn store_now(&mut self) -> Result<(), SessionError> {
        let stored = self.store(true).await;
        self.publish();
        stored
    }

    async fn store(&mut self, changed: bool) -> Result<(), SessionError> {
        if !changed && !self.unstored {
            return Ok(());
        }
        self.unstored = true;
        self.core.store.update_driver(&mut self.record).await?;
        self.unstored = false;
        Ok(())
    }

    /// Measures the phase of the start that is over. One that ends with the driver's end tells nothing
    /// of how long such phases take.
    fn measure_phase(&mut self, before: &DriverState) {
        let began = self.phase_began.replace(Instant::now());
        let is_over = matches!(
            self.record.state,
            DriverState::Stopping(_) | DriverState::Gone(_)
        );
        if let Some(began) = began.filter(|_| before.is_starting() && !is_over) {
            let program = match self.record.program {
                DriverProgram::Agent => "session",
                DriverProgram::Application => "batch",
            };
            let metrics = &self.core.config.metrics;
            let phase = metrics.start_phases.with([program, before.name()]);
            phase.observe(began.elapsed());
        }
    }

    fn note_change(&mut self, before: &DriverState) {
        let now = self.core.clock.now();
        self.record.times.note(before, &self.record.state, now);
        if self.record.state.is_gone()
            && let Some(pooled) = &mut self.record.pooled
        {
            // The configuration of a pool may have secrets, and no driver needs them any more.
            pooled.configuration.conf.clear();
        }
        let reason = match &self.record.state {
            DriverState::Gone(end) => end.failure.as_ref().map(|failure| failure.message.as_str()),
            _ => None,
        };
        tracing::info!(driver.id = %self.record.id, driver.state = self.record.state.name(), reason, "driver state");
        if !self.record.state.is_starting() {
            self.let_others_start();
        }
    }

    fn perform(&mut self, effect: DriverEffect, token: Option<SecretString>) {
        match (effect, token) {
            (DriverEffect::Queue, _) => {
                // The driver gets another place when it leaves the queue.
                self.running = None;
                self.handle.start_began.clear();
                self.join_queue();
            }
            (DriverEffect::Launch, Some(token)) => self.launch(token),
            (DriverEffect::Launch, None) => {}
            (DriverEffect::AskToStop, _) => self.ask_to_stop(),
            (DriverEffect::Terminate, _) => self.terminate(),
        }
    }

    /// The server asks an agent that reconnects again, with the same deadline. Without an agent
    /// there is nothing to wait for.
    fn ask_to_stop(&mut self) {
        let grace = match &self.link {
            Some(link) => {
                link.send(Command::Stop);
                self.core.config.limits.stop_grace
            }
            None => Duration::ZERO,
        };
        self.stop_overdue.get_or_insert(Instant::now() + grace);
    }

    pub(super) fn terminate(&mut self) {
        self.stop_overdue = None;
        let Some(process) = self.process.clone() else {
            return;
        };
        let grace = self.grace;
        self.core.lifecycle.spawn(async move {
            process.terminate(grace).await;
        });
    }

    pub(super) fn let_others_start(&mut self) {
        self.starting = None;
        self.hold_until = None;
    }

    /// The driver is gone: its places are given back, and its end is stored for as long as it
    /// takes.
    pub(super) async fn leave(&mut self) {
        self.process = None;
        self.link = None;
        self.running = None;
        self.let_others_start();
        self.publish();
        let lifecycle = self.core.lifecycle.clone();
        let mut pause = SETTLE_PAUSE;
        while let Err(error) = self.store(false).await {
            if error.is_conflict() {
                tracing::error!(driver.id = %self.record.id, "another server drives the driver now");
                break;
            }
            tracing::error!(driver.id = %self.record.id, error = %chain(&error), "cannot store the driver's end; trying again");
            tokio::select! {
                // The next server finds the driver in the store, and its process gone.
                () = lifecycle.stopping() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(SETTLE_PAUSE_LONGEST),
            }
        }
        reach(Point::DriverEndStored);
        self.core.registry.remove(&self.record.id);
    }
}
