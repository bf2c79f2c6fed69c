//! What the batch's state machine wants done, and how it is done.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::batch::BatchStart;
use livius_domain::{
    BatchEffect, BatchEnd, BatchEvent, BatchOutcome, BatchState, Departure, Exit, StopCause, chain,
};
use livius_launch::DriverProcess;

use super::{Actor, Report, join_queue};
use crate::batches::core::Core;
use crate::batches::evidence;
use crate::batches::turns::Turn;
use crate::directory;
use crate::error::SessionError;
use crate::log::SessionLog;
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
                self.explain_end(&end.clone());
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
        let (driver, token) = request::new_batch_driver(&self.core.config, self.record.id);
        let before = self.record.driver.take();
        // What an attempt left that never came to anything.
        if let Some(before) = &before {
            directory::remove(&before.dir).await;
        }
        let before = before.map(|driver| driver.id);
        let registry = &self.core.registry;
        registry.name_driver(self.record.id, driver.id.clone(), before.as_ref());
        self.entry.log_to(&driver.dir);
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
    pub(super) fn take_process(&mut self, process: Box<dyn DriverProcess>) {
        let process: Arc<dyn DriverProcess> = Arc::from(process);
        if let Some(driver) = &mut self.record.driver {
            driver.process = Some(process.record());
        }
        let (watched, reports) = (Arc::clone(&process), self.own.reports.clone());
        let (core, dir) = (Arc::clone(&self.core), self.dir());
        self.core.lifecycle.spawn(async move {
            tokio::select! {
                () = reports.closed() => {}
                exit = watched.exited() => {
                    let departure = departure(&core, dir, exit).await;
                    let _ = reports.send(Report::Gone(departure)).await;
                }
            }
        });
        self.process = Some(process);
    }

    /// Reports the end of a process that nobody has to wait for.
    pub(super) fn gone(&self, exit: Exit) {
        let (core, dir, reports) = (Arc::clone(&self.core), self.dir(), self.own.reports.clone());
        self.core.lifecycle.spawn(async move {
            let departure = departure(&core, dir, exit).await;
            let _ = reports.send(Report::Gone(departure)).await;
        });
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

    fn dir(&self) -> Option<Utf8PathBuf> {
        self.record.driver.as_ref().map(|driver| driver.dir.clone())
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
            directory::remove(&driver.dir).await;
        }
        for waiter in self.waiters.drain(..) {
            let _ = waiter.send(());
        }
    }

    /// Writes into the batch's log why it ended: that is where its users look first.
    fn explain_end(&self, end: &BatchEnd) {
        let Some(dir) = self.dir() else {
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
        if let Err(error) = append(&dir, &text) {
            tracing::warn!(batch.id = %self.record.id, %error, "cannot write to the batch's log");
        }
    }
}

/// All that is known of a process that is gone.
async fn departure(core: &Core, dir: Option<Utf8PathBuf>, exit: Exit) -> Departure {
    let Some(dir) = dir else {
        return Departure {
            exit,
            verdict: None,
            evidence: None,
        };
    };
    let verdict = core.launcher.verdict(&dir).await;
    let read = tokio::task::spawn_blocking(move || {
        let lines = SessionLog::of(&dir).tail(evidence::LINES);
        lines.ok().and_then(|lines| evidence::find(&lines))
    });
    Departure {
        exit,
        verdict,
        evidence: read.await.unwrap_or_default(),
    }
}

fn by(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Shutdown => "the server was shut down",
        _ => "on request",
    }
}

/// A batch that never came to its start has no directory yet, but a log like any other. What was printed last may lack its line end.
/// What is there already is not written again: the end may have been explained by a server that could not store it.
fn append(dir: &Utf8Path, text: &str) -> std::io::Result<()> {
    directory::make_private(dir)?;
    let path = dir.join("stdout.log");
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    let last = last_bytes(&file, text.len())?;
    if last == text.as_bytes() {
        return Ok(());
    }
    let separator = if last.last().is_none_or(|byte| *byte == b'\n') {
        ""
    } else {
        "\n"
    };
    file.write_all(format!("{separator}{text}").as_bytes())
}

fn last_bytes(file: &std::fs::File, count: usize) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt as _;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(count as u64);
    let mut last = vec![0; count.min(usize::try_from(length).unwrap_or(count))];
    file.read_exact_at(&mut last, start)?;
    Ok(last)
}
