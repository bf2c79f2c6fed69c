//! The one owner of a batch: it follows the batch's driver and drives the batch's state machine.
//!
//! For each event the actor stores the new state, then performs the effects, then publishes the new
//! view. Every effect may happen twice (after a crash between the steps), and no effect waits for
//! the driver.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::batch::BatchStart;
use livius_domain::{
    BatchEffect, BatchEnd, BatchEvent, BatchOutcome, BatchRecord, BatchState, DriverProgram,
    DriverState, StopCause, chain,
};
use livius_failpoint::{Point, reach};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::Instrument as _;

use super::entry::{Core, Entry};
use super::message::Message;
use crate::byte_room::HeldBytes;
use crate::driver::Origin;
use crate::error::SessionError;
use crate::feed::Publisher;
use crate::logbook::lines_to_store;
use crate::mailbox::Letter;
use crate::registry::Live as _;
use crate::view::BatchView;

/// The pause between two attempts to store an end.
const SETTLE_PAUSE: Duration = Duration::from_millis(100);
const SETTLE_PAUSE_LONGEST: Duration = Duration::from_secs(5);

/// The shares that a batch has of what is limited. Recovered batches may have more than there is.
#[derive(Default)]
pub struct Places {
    /// Its place among those that wait.
    pub waiting: Option<OwnedSemaphorePermit>,
    /// The memory of its request, until it has ended.
    pub held: HeldBytes,
}

/// The parts that the actor has from its first moment.
pub struct ActorSetup {
    pub places: Places,
    /// The publisher of its views.
    pub publisher: Publisher<BatchView>,
}

/// The actor.
pub struct Actor {
    core: Arc<Core>,
    entry: Arc<Entry>,
    record: BatchRecord,
    setup: ActorSetup,
    /// True if the record has changes that are not stored.
    unstored: bool,
    waiters: Vec<oneshot::Sender<()>>,
}

impl Actor {
    /// An actor for a batch that has an entry.
    pub fn new(core: Arc<Core>, entry: Arc<Entry>, record: BatchRecord, setup: ActorSetup) -> Self {
        Self {
            core,
            entry,
            record,
            setup,
            unstored: false,
            waiters: Vec::new(),
        }
    }

    /// Drives the batch until it has ended, or the server stops. The steps are boxed: while the actor
    /// waits, it keeps no room for them.
    pub async fn run(
        mut self: Box<Self>,
        origin: Origin,
        mut messages: mpsc::Receiver<Box<Letter<Message>>>,
    ) {
        let lifecycle = self.core.lifecycle.clone();
        let mut driver = self.entry.driver.follow();
        if origin == Origin::Recovered {
            Box::pin(self.recover()).await;
        }
        Box::pin(self.follow_driver()).await;
        while !self.record.state.is_ended() {
            tokio::select! {
                biased;
                // The server stops at once: drivers that are to end have been ended before.
                () = lifecycle.stopping() => return,
                // Events come before requests.
                true = driver.changed() => Box::pin(self.follow_driver()).await,
                Some(letter) = messages.recv() => Box::pin(self.on_letter(*letter)).await,
            }
        }
        Box::pin(self.leave()).await;
    }

    async fn on_letter(&mut self, letter: Letter<Message>) {
        self.on_message(letter.message)
            .instrument(letter.span)
            .await;
    }

    async fn on_message(&mut self, message: Message) {
        let of_shutdown = match &message {
            Message::Stop { cause, .. } => *cause == StopCause::Shutdown,
            Message::EndByForce { .. } => true,
            Message::Delete { .. } => false,
        };
        if of_shutdown && self.entry.driver.is_queued().await {
            // A waiting batch is left to the next server.
            return;
        }
        match message {
            Message::Delete { reply } => self.delete(reply).await,
            Message::Stop { cause, reply } => {
                self.waiters.extend(reply);
                self.apply(BatchEvent::Stop(cause)).await;
            }
            Message::EndByForce { reply } => {
                self.waiters.push(reply);
                self.apply(BatchEvent::Stop(StopCause::Shutdown)).await;
                self.entry.driver.end_by_force().await;
            }
        }
    }

    /// Takes up a batch from the store.
    async fn recover(&mut self) {
        if self.entry.is_hidden() {
            // The batch was deleted: that holds, whatever came of its end.
            self.apply(BatchEvent::Stop(StopCause::User)).await;
        }
        if let BatchState::Stopping { cause, .. } = self.record.state {
            // The driver may not have been told before the crash.
            self.entry.driver.stop(cause).await;
        }
    }

    /// Follows the state that the driver's actor has published.
    async fn follow_driver(&mut self) {
        let driver = self.entry.driver.view();
        if driver.state != DriverState::Queued {
            self.setup.places.waiting = None;
        }
        if driver.app.is_some() && driver.app != self.record.app {
            self.record.app.clone_from(&driver.app);
            self.unstored = true;
        }
        let times = &mut self.record.times;
        if times.launched_at != driver.times.launched_at {
            times.launched_at = driver.times.launched_at;
            self.unstored = true;
        }
        if times.running_at.is_none() && driver.times.up_at.is_some() {
            times.running_at = driver.times.up_at;
            self.unstored = true;
        }
        if let Some(event) = BatchEvent::of(&driver.state) {
            return self.apply(event).await;
        }
        let stored = self.store().await;
        self.log_unstored(stored);
        self.publish();
    }

    /// Applies one event to the batch. If the store fails now, the actor stores the state with the
    /// next event, and at the latest at the end.
    async fn apply(&mut self, event: BatchEvent) {
        let (state, effect) = self.record.state.clone().on(event);
        let changed = state != self.record.state;
        self.record.state = state;
        self.unstored |= changed;
        if changed {
            self.note_change().await;
        }
        let stored = self.store().await;
        self.log_unstored(stored);
        reach(Point::BatchStepStored);
        if let Some(BatchEffect::StopDriver(cause)) = effect {
            self.entry.driver.stop(cause).await;
        }
        reach(Point::BatchStepActed);
        self.publish();
    }

    async fn store(&mut self) -> Result<(), SessionError> {
        if self.unstored {
            self.core.store.update_batch(&mut self.record).await?;
            self.unstored = false;
        }
        Ok(())
    }

    fn log_unstored(&self, stored: Result<(), SessionError>) {
        if let Err(error) = stored {
            tracing::error!(batch.id = %self.record.id, error = %chain(&error), "cannot store the batch");
        }
    }

    /// Writes down when the batch came into its state, and logs it.
    async fn note_change(&mut self) {
        let now = self.core.clock.now();
        let times = &mut self.record.times;
        let (id, state) = (self.record.id, self.record.state.name());
        match &self.record.state {
            BatchState::Running => {
                let app = self.record.app.as_ref().map(|app| app.app_id.as_str());
                tracing::info!(batch.id = %id, batch.state = state, app.id = app, "batch state");
            }
            BatchState::Stopping { .. } => {
                times.stopping_at = times.stopping_at.or(Some(now));
                tracing::info!(batch.id = %id, batch.state = state, "batch is being ended");
            }
            BatchState::Ended(end) => {
                // The next batch may have been launched since the driver gave its place back.
                times.ended_at = self.entry.driver.view().times.ended_at.or(Some(now));
                let reason = end.failure.as_ref().map(|failure| failure.message.as_str());
                let exit = end.exit.map(|exit| exit.to_string());
                tracing::info!(batch.id = %id, batch.state = state, exit, reason, "batch ended");
                self.core.config.audit.batch_ended(&self.record, end);
                let end = end.clone();
                self.close(&end).await;
            }
            BatchState::Starting => {}
        }
    }

    /// Ends a batch whose first actor has panicked. Its record says how.
    pub(super) async fn end_by_fault(mut self) {
        self.unstored = true;
        self.note_change().await;
        self.publish();
        self.leave().await;
    }

    /// Takes the batch off the list, so that no client sees it from now on, and ends it. A deletion
    /// that cannot be stored does not happen, because the next server would not know of it.
    async fn delete(&mut self, reply: oneshot::Sender<Result<(), SessionError>>) {
        if let Err(error) = self.core.store.unlist_batch(self.record.id).await {
            let _ = reply.send(Err(error.into()));
            return;
        }
        reach(Point::BatchUnlisted);
        self.core.registry.hide(&self.entry);
        self.core.changes.batch(&self.record, None);
        self.entry.driver.stop(StopCause::User).await;
        // It does not wait for its turn any more.
        self.setup.places.waiting = None;
        let _ = reply.send(Ok(()));
        self.apply(BatchEvent::Stop(StopCause::User)).await;
    }

    /// The batch has ended: that is stored for as long as it takes, then the waiting requests are
    /// answered.
    async fn leave(&mut self) {
        self.setup.places.waiting = None;
        self.setup.places.held.clear();
        let lifecycle = self.core.lifecycle.clone();
        let mut pause = SETTLE_PAUSE;
        while let Err(error) = self.store().await {
            if error.is_conflict() {
                tracing::error!(batch.id = %self.record.id, "another server drives the batch now");
                break;
            }
            tracing::error!(batch.id = %self.record.id, error = %chain(&error), "cannot store the batch's end; trying again");
            tokio::select! {
                // The next server finds the batch unended, and its driver gone.
                () = lifecycle.stopping() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(SETTLE_PAUSE_LONGEST),
            }
        }
        self.core.registry.remove(&self.entry);
        if self.entry.is_hidden() {
            self.entry.driver.files.remove().await;
        }
        for waiter in self.waiters.drain(..) {
            let _ = waiter.send(());
        }
    }

    /// Completes the batch's log and record. No driver will need the secrets of the request.
    async fn close(&mut self, end: &BatchEnd) {
        self.explain_end(end).await;
        Arc::make_mut(&mut self.record.request).hide_secrets();
        let log = Arc::clone(&self.entry.driver.log);
        self.record.last_lines = lines_to_store(self.record.id.0, log).await;
    }

    /// Writes into the batch's log why it ended: users look there first.
    async fn explain_end(&self, end: &BatchEnd) {
        let text = match (&end.failure, end.cause, end.outcome) {
            (Some(failure), _, _) => {
                format!("livius: {}\nlivius: {}\n", failure.message, failure.hint)
            }
            // The log of a batch that was never started stays empty.
            (None, Some(cause), BatchOutcome::Killed)
                if self.record.times.launched_at.is_some() =>
            {
                format!("livius: the batch was killed ({})\n", by(cause))
            }
            _ => return,
        };
        if let Err(error) = self
            .entry
            .driver
            .files
            .explain(DriverProgram::Application, &text)
            .await
        {
            tracing::warn!(batch.id = %self.record.id, %error, "cannot write to the batch's log");
        }
    }

    /// Publishes the batch as it is now.
    fn publish(&self) {
        let starts = self.record.state == BatchState::Starting;
        let step = BatchStart::of(&self.entry.driver.view().state).filter(|_| starts);
        let before = self.setup.publisher.publish(BatchView {
            record: self.record.clone(),
            step,
        });
        let now = self.entry.view();
        if !now.is_alike(&before) && !self.entry.is_hidden() {
            self.core.changes.batch(&now.record, Some(now.status()));
        }
    }
}

fn by(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Shutdown => "the server was shut down",
        _ => "on request",
    }
}
