//! Opening the batches: recovery is the ordinary start of an actor, with a batch from the store.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::{BatchId, BatchRecord, Clock, DriverRecord};
use livius_launch::Launcher;
use livius_store::BatchStore;
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore, mpsc, watch};

use super::actor::{Actor, Begin, Own, Report};
use super::registry::{Entry, Registry};
use super::turns::Turns;
use super::{Batches, Inner};
use crate::config::Config;
use crate::ended_logs::EndedLogs;
use crate::error::SessionError;
use crate::lifecycle::Lifecycle;
use crate::view::BatchView;

/// Messages waiting for one actor; whoever finds it full waits.
const MAILBOX: usize = 16;

const PURGE_INTERVAL: Duration = Duration::from_mins(1);

impl Batches {
    /// Opens the batches of a store: every one that had not ended is taken up again.
    pub async fn open(
        config: Config,
        store: Arc<dyn BatchStore>,
        launcher: Arc<dyn Launcher>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SessionError> {
        let unended = store.unended_batches().await?;
        let limits = &config.limits;
        let places = Arc::new(Semaphore::new(limits.waiting_batches));
        let turns = Turns::new(limits.concurrent_batch_starts, limits.running_batches);
        let inner = Inner {
            config,
            store,
            launcher,
            clock,
            registry: Registry::default(),
            registering: RwLock::default(),
            places,
            turns: Arc::new(turns),
            lifecycle: Lifecycle::default(),
            ended_logs: EndedLogs::default(),
        };
        let batches = Self {
            inner: Arc::new(inner),
        };
        for record in unended {
            batches.take_up(record).await?;
        }
        let lifecycle = batches.lifecycle();
        lifecycle.spawn(Arc::clone(&batches.inner.turns).run(lifecycle.clone()));
        lifecycle.spawn(batches.clone().forget_old());
        Ok(batches)
    }

    async fn take_up(&self, record: BatchRecord) -> Result<(), SessionError> {
        let listed = self.store().batch(record.id).await?.is_some();
        let place = record
            .state
            .is_queued()
            .then(|| Arc::clone(&self.inner.places).try_acquire_owned().ok())
            .flatten();
        self.spawn_actor(record, Begin::Recovered, !listed, place);
        Ok(())
    }

    /// Makes the entry and the actor of a batch.
    pub(super) fn spawn_actor(
        &self,
        record: BatchRecord,
        begin: Begin,
        hidden: bool,
        waiting: Option<OwnedSemaphorePermit>,
    ) -> Arc<Entry> {
        let (messages, inbox) = mpsc::channel(MAILBOX);
        let (reports, reports_inbox) = mpsc::channel(MAILBOX);
        let (view_sender, view) = watch::channel(Arc::new(BatchView {
            record: record.clone(),
        }));
        let dir = record.driver.as_ref().map(|driver| driver.dir.as_path());
        let entry = Arc::new(Entry::new(record.id, hidden, dir, messages, view));
        self.registry().insert(&entry);
        if let Some(driver) = &record.driver {
            self.registry()
                .name_driver(record.id, driver.id.clone(), None);
        }
        // Nobody who waits is overtaken while its actor comes to life.
        if record.state.is_queued() {
            self.join_queue(record.id, reports.clone());
        }
        // Counted before any other batch gets its turn.
        let running = (!record.state.is_queued())
            .then(|| self.turns().recovered())
            .flatten();
        let own = Own {
            waiting,
            running,
            view: view_sender,
            reports,
        };
        let actor = Actor::new(self.clone(), Arc::clone(&entry), record, own);
        self.lifecycle()
            .spawn(actor.run(begin, inbox, reports_inbox));
        entry
    }

    /// Joins the queue; its turn is reported.
    pub(super) fn join_queue(&self, batch: BatchId, reports: mpsc::Sender<Report>) {
        let turn = self.turns().join(batch);
        let batches = self.clone();
        self.lifecycle().spawn(async move {
            tokio::select! {
                // The batch may end while it waits; then nobody wants the turn.
                () = reports.closed() => batches.turns().leave(batch),
                turn = turn => {
                    if let Ok(turn) = turn {
                        let _ = reports.send(Report::Turn(turn)).await;
                    }
                }
            }
        });
    }

    /// Forgets ended batches in excess, with their directories, until the server stops.
    async fn forget_old(self) {
        let mut interval = tokio::time::interval(PURGE_INTERVAL);
        loop {
            tokio::select! {
                biased;
                () = self.lifecycle().stopping() => return,
                _ = interval.tick() => self.purge().await,
            }
        }
    }

    /// Each call of the store takes a part, so that others get their turn to write in between.
    async fn purge(&self) {
        let limits = &self.config().limits;
        let now = self.clock().now();
        let before = now.checked_sub(limits.ended_batch_retention).unwrap_or(now);
        let keep = limits.ended_batches as u64;
        loop {
            match self.store().purge_batches(before, keep).await {
                Ok(records) if records.is_empty() => return,
                Ok(records) => {
                    for record in records {
                        remove_directory(record.driver.as_ref()).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %livius_domain::chain(&error), "cannot forget old batches");
                    return;
                }
            }
        }
    }
}

/// Removes all that was kept of a batch but its row: nobody can read it any more.
pub(super) async fn remove_directory(driver: Option<&DriverRecord>) {
    if let Some(driver) = driver
        && let Err(error) = tokio::fs::remove_dir_all(&driver.dir).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(driver.dir = %driver.dir, %error, "cannot remove a batch's directory");
    }
}
