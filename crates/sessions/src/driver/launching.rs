//! The launch of a driver, from its place in the queue to its running process.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::pool::Pooled;
use livius_domain::{
    BatchRecord, DriverEvent, DriverId, DriverProgram, DriverState, Failure, FailureCode, Phase,
    SessionRecord, chain,
};
use livius_launch::{DriverOrder, RunningDriver};
use secrecy::SecretString;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::actor::{DriverActor, Purpose};
use super::awaited::{self, TaskReport};
use crate::admission::Turn;
use crate::config::Config;
use crate::request;

/// Before a turn is tried again that could not be stored.
const TURN_PAUSE: Duration = Duration::from_millis(500);

/// The time that a starting batch holds its place among the starting ones. After this it may be
/// waiting for resources, or never create a SparkContext.
const BATCH_START_HOLD: Duration = Duration::from_secs(30);

impl DriverActor {
    /// The way of a task's report to the actor. The report of an earlier task is not wanted any more.
    pub(super) fn expect_report(&mut self) -> oneshot::Sender<TaskReport> {
        let (reply, report) = oneshot::channel();
        self.report = Some(report);
        reply
    }

    /// Waits for a place among the starting drivers; the turn is reported.
    pub(super) fn join_queue(&mut self) {
        let mut reply = self.expect_report();
        let (ticket, turn) = self.core.admission.join(self.record.made_for);
        let admission = Arc::clone(&self.core.admission);
        self.core.lifecycle.spawn(async move {
            tokio::select! {
                // The driver may end while it waits; then it needs no turn.
                () = reply.closed() => admission.leave(ticket),
                turn = turn => {
                    if let Ok(turn) = turn {
                        let _ = reply.send(TaskReport::Turn(turn));
                    }
                }
            }
        });
    }

    pub(super) async fn on_turn(&mut self, turn: Turn) {
        // A turn that was given just before a shutdown is not taken during it.
        if self.record.state != DriverState::Queued || self.core.lifecycle.is_draining() {
            return;
        }
        if let Err(error) = self.try_apply(DriverEvent::LaunchAllowed).await {
            tracing::error!(driver.id = %self.record.id, error = %chain(&error), "cannot store that the driver is started; trying again");
            return self.take_turn_later(turn);
        }
        self.handle.start_began.set(self.core.clock.now());
        self.running = Some(turn.running);
        self.starting = turn.starting;
        if self.record.program == DriverProgram::Application {
            self.hold_until = Some(Instant::now() + BATCH_START_HOLD);
        }
    }

    fn take_turn_later(&mut self, turn: Turn) {
        let mut reply = self.expect_report();
        self.core.lifecycle.spawn(async move {
            tokio::select! {
                () = reply.closed() => {}
                () = tokio::time::sleep(TURN_PAUSE) => {
                    let _ = reply.send(TaskReport::Turn(turn));
                }
            }
        });
    }

    /// Starts the process in its own task, because the start may take seconds.
    pub(super) fn launch(&mut self, token: SecretString) {
        let (launcher, reply) = (Arc::clone(&self.core.launcher), self.expect_report());
        let (config, id) = (Arc::clone(&self.core.config), self.record.id.clone());
        let wanted = self.wanted();
        self.core.lifecycle.spawn(async move {
            let result = match order(&config, wanted, id, token).await {
                Ok(order) => launcher.launch(order).await,
                Err(failure) => Err(failure),
            };
            let _ = reply.send(TaskReport::Launched(result));
        });
    }

    /// Keeps a running process, and waits for news of it.
    pub(super) fn take_process(&mut self, process: Arc<dyn RunningDriver>) {
        self.record.location = Some(process.location());
        self.unstored = true;
        self.news = Some(awaited::watch(Arc::clone(&process)));
        self.process = Some(process);
    }
}

/// The session, batch or pool that a driver is launched for.
enum Wanted {
    Session(Box<SessionRecord>),
    Batch(Box<BatchRecord>),
    Pool(Box<Pooled>),
    Nothing,
}

impl DriverActor {
    fn wanted(&self) -> Wanted {
        match (&self.purpose, &self.record.pooled) {
            (Purpose::Session(record, _), _) => Wanted::Session(record.clone()),
            (Purpose::Batch(record), _) => Wanted::Batch(record.clone()),
            (Purpose::Pool, Some(pooled)) => Wanted::Pool(pooled.clone()),
            (Purpose::Pool, None) | (Purpose::Nothing, _) => Wanted::Nothing,
        }
    }
}

async fn order(
    config: &Arc<Config>,
    wanted: Wanted,
    id: DriverId,
    token: SecretString,
) -> Result<DriverOrder, Failure> {
    match wanted {
        Wanted::Session(record) => request::order(config, &record, id, token).await,
        Wanted::Batch(record) => request::batch_order(config, &record, id, token).await,
        Wanted::Pool(pooled) => Ok(request::pool_order(config, *pooled, id, token)),
        Wanted::Nothing => Err(Failure {
            code: FailureCode::LaunchFailed,
            phase: Phase::Launch,
            evidence: livius_domain::Evidence::default(),
            message: "no session, no batch and no pool needs this driver".to_owned(),
            hint: String::new(),
        }),
    }
}
