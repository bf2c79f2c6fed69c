//! The one owner of a batch: it drives the batch's state machine.
//!
//! For each event: the new state is stored, then the effects are performed, then the new view is published. Every effect may happen twice
//! (after a crash between the steps), and none of them waits for the process.

mod effects;

use std::sync::Arc;
use std::time::Duration;

use livius_domain::batch::BatchStart;
use livius_domain::{
    BatchEvent, BatchId, BatchRecord, BatchState, Departure, Exit, Failure, StopCause, chain,
};
use livius_launch::{Found, RunningDriver};
use secrecy::SecretString;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::core::Core;
use super::message::Message;
use super::registry::Entry;
use super::turns::Turn;
use crate::view::BatchView;

/// How long a start may keep others from theirs. Who is not heard of by then may be waiting for something, or need no Spark at all.
const START_HOLD: Duration = Duration::from_secs(30);

/// What tasks of its own report to a batch's actor.
pub enum Report {
    /// Its turn has come.
    Turn(Turn),
    /// The launch is over.
    Launched(Result<Arc<dyn RunningDriver>, Failure>),
    /// The process is gone.
    Gone(Departure),
}

/// How an actor begins.
pub enum Begin {
    /// With a batch just created.
    New,
    /// With one found in the store at the start of the server.
    Recovered,
}

/// What belongs to an actor from its first moment.
pub struct Own {
    /// Its place among those that wait; recovered batches may be more than there are places.
    pub waiting: Option<OwnedSemaphorePermit>,
    /// Its place among those that run.
    pub running: Option<OwnedSemaphorePermit>,
    /// Where the batch is shown.
    pub view: watch::Sender<Arc<BatchView>>,
    /// Where its tasks report to.
    pub reports: mpsc::Sender<Report>,
}

/// The actor.
pub struct Actor {
    core: Arc<Core>,
    entry: Arc<Entry>,
    record: BatchRecord,
    own: Own,
    starting: Option<OwnedSemaphorePermit>,
    /// When the place among the starting ones is given back in any case.
    hold_until: Option<Instant>,
    process: Option<Arc<dyn RunningDriver>>,
    /// The secret of the agent in a process that has not been launched yet.
    token: Option<SecretString>,
    grace: Duration,
    waiters: Vec<oneshot::Sender<()>>,
}

impl Actor {
    /// An actor for a batch that has an entry.
    pub fn new(core: Arc<Core>, entry: Arc<Entry>, record: BatchRecord, own: Own) -> Self {
        let grace = core.config.limits.batch_grace;
        Self {
            core,
            entry,
            record,
            own,
            starting: None,
            hold_until: None,
            process: None,
            token: None,
            grace,
            waiters: Vec::new(),
        }
    }

    /// Drives the batch until it has ended, or the server stops.
    pub async fn run(
        mut self,
        begin: Begin,
        mut messages: mpsc::Receiver<Message>,
        mut reports: mpsc::Receiver<Report>,
    ) {
        match begin {
            Begin::New => {}
            Begin::Recovered => {
                self.recover().await;
                if self.entry.is_hidden() {
                    // It was deleted: that holds, whatever came of its end.
                    self.apply(BatchEvent::Stop(StopCause::User)).await;
                }
            }
        }
        let lifecycle = self.core.lifecycle.clone();
        while !self.record.state.is_ended() {
            let hold_until = self.hold_until;
            tokio::select! {
                biased;
                // The server stops at once: what is to end has been ended before.
                () = lifecycle.stopping() => return,
                // What has happened comes before what is wanted.
                Some(report) = reports.recv() => self.on_report(report).await,
                () = at(hold_until) => self.let_others_start(),
                Some(message) = messages.recv() => self.on_message(message).await,
            }
        }
        self.leave().await;
    }

    async fn on_report(&mut self, report: Report) {
        match report {
            Report::Turn(turn) => self.on_turn(turn).await,
            Report::Launched(Ok(process)) => {
                self.take_process(process);
                self.apply(BatchEvent::Launched).await;
            }
            Report::Launched(Err(failure)) => self.apply(BatchEvent::LaunchFailed(failure)).await,
            Report::Gone(departure) => self.apply(BatchEvent::Gone(departure)).await,
        }
    }

    async fn on_turn(&mut self, turn: Turn) {
        // A turn that was given just before a shutdown is not taken during it.
        if !self.record.state.is_queued() || self.core.lifecycle.is_draining() {
            return;
        }
        // One whose start could not be stored has its name already.
        if self.token.is_none() {
            self.name_driver().await;
        }
        // Its agent may be heard of as soon as the process is started.
        self.publish();
        if let Err(error) = self.try_apply(BatchEvent::LaunchAllowed).await {
            tracing::error!(batch.id = %self.record.id, error = %chain(&error), "cannot store that the batch is started; trying again");
            return self.take_turn_later(turn);
        }
        self.own.running = Some(turn.running);
        self.own.waiting = None;
        self.starting = turn.starting;
        self.hold_until = Some(Instant::now() + START_HOLD);
    }

    async fn on_message(&mut self, message: Message) {
        match message {
            // What waits is left to the next server: a shutdown has seen to it that no turn is taken any more.
            Message::Stop {
                cause: StopCause::Shutdown,
                ..
            }
            | Message::EndByForce { .. }
                if self.record.state.is_queued() => {}
            Message::Stop { cause, hide, reply } => {
                self.waiters.extend(reply);
                self.apply(BatchEvent::Stop(cause)).await;
                if hide {
                    self.hide().await;
                }
            }
            Message::EndByForce { reply } => {
                self.waiters.push(reply);
                self.grace = Duration::ZERO;
                self.apply(BatchEvent::Stop(StopCause::Shutdown)).await;
                self.terminate();
            }
            Message::App { app, reply } => {
                let stored = self.try_apply(BatchEvent::AppStarted(app)).await;
                let _ = reply.send(stored);
            }
        }
    }

    /// Takes a batch up that was found in the store.
    async fn recover(&mut self) {
        if self.record.state.is_queued() {
            return;
        }
        let Some(driver) = self.record.driver.clone() else {
            return self.apply(BatchEvent::FoundUnstarted).await;
        };
        let found = self
            .core
            .launcher
            .find(&driver.id, driver.location.as_ref())
            .await;
        match found {
            Found::Alive(process) => {
                self.take_process(process);
                self.apply(BatchEvent::FoundAlive).await;
            }
            // Its files are gone, but it was seen alive: that it never began would be a lie.
            Found::NeverStarted if self.was_launched() => {
                let departure = Departure {
                    exit: Exit::Unknown,
                    verdict: None,
                    evidence: None,
                };
                self.apply(BatchEvent::Gone(departure)).await;
            }
            Found::NeverStarted => self.apply(BatchEvent::FoundUnstarted).await,
            Found::Ended(departure) => self.apply(BatchEvent::Gone(departure)).await,
        }
    }

    fn was_launched(&self) -> bool {
        let launching = BatchState::Starting {
            step: BatchStart::Launching,
        };
        let known = self
            .record
            .driver
            .as_ref()
            .is_some_and(|driver| driver.location.is_some());
        known
            || !(self.record.state == launching
                || matches!(self.record.state, BatchState::Stopping { .. }))
    }

    /// Takes the batch off the list: from now on nobody is shown it.
    async fn hide(&mut self) {
        self.core.registry.hide(&self.entry);
        if let Err(error) = self.core.store.unlist_batch(self.record.id).await {
            tracing::error!(batch.id = %self.record.id, error = %chain(&error), "cannot take the batch off the list");
        }
    }

    fn let_others_start(&mut self) {
        self.starting = None;
        self.hold_until = None;
    }

    /// Shows the batch as it is now.
    fn publish(&self) {
        self.own.view.send_replace(Arc::new(BatchView {
            record: self.record.clone(),
        }));
    }
}

/// Becomes ready at that time, or never.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Joins the queue of batches; the turn is reported to the batch's actor.
pub fn join_queue(core: &Arc<Core>, batch: BatchId, reports: mpsc::Sender<Report>) {
    let turn = core.turns.join(batch);
    let queue = Arc::clone(&core.turns);
    core.lifecycle.spawn(async move {
        tokio::select! {
            // The batch may end while it waits; it takes no turn then.
            () = reports.closed() => queue.leave(batch),
            turn = turn => {
                if let Ok(turn) = turn {
                    let _ = reports.send(Report::Turn(turn)).await;
                }
            }
        }
    });
}
