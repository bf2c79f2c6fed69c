//! Opening the batches: recovery is the ordinary start of an actor, with a batch from the store.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::{BatchEnd, BatchOutcome, BatchRecord, BatchState, Clock, StopCause};
use launch::Launcher;
use store::BatchStore;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::actor::{Actor, Begin, Own};
use super::registry::{Entry, Registry, log_in};
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
        if !listed && record.state.is_queued() {
            return self.forget(record).await;
        }
        let place = record
            .state
            .is_queued()
            .then(|| Arc::clone(&self.inner.places).try_acquire_owned().ok())
            .flatten();
        self.spawn_actor(record, Begin::Recovered, !listed, place);
        Ok(())
    }

    /// Ends a batch that was deleted before anything was started for it.
    async fn forget(&self, mut record: BatchRecord) -> Result<(), SessionError> {
        record.state = BatchState::Ended(BatchEnd {
            outcome: BatchOutcome::Killed,
            cause: Some(StopCause::User),
            failure: None,
            exit: None,
        });
        record.times.ended_at = Some(self.clock().now());
        Ok(self.store().update_batch(&record).await?)
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
        let log = OnceLock::new();
        if let Some(driver) = &record.driver {
            let _ = log.set(log_in(&driver.dir));
        }
        let entry = Arc::new(Entry {
            id: record.id,
            hidden: AtomicBool::new(hidden),
            messages,
            view,
            log,
        });
        self.registry().insert(&entry);
        if let Some(driver) = &record.driver {
            self.registry()
                .name_driver(record.id, driver.id.clone(), None);
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
                Ok(records) => remove_directories(records).await,
                Err(error) => {
                    tracing::warn!(error = %domain::chain(&error), "cannot forget old batches");
                    return;
                }
            }
        }
    }
}

async fn remove_directories(records: Vec<BatchRecord>) {
    for driver in records.into_iter().filter_map(|record| record.driver) {
        if let Err(error) = tokio::fs::remove_dir_all(&driver.dir).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(driver.dir = %driver.dir, %error, "cannot remove a batch's directory");
        }
    }
}
