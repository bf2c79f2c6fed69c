//! Opening the batches: recovery is the ordinary start of an actor, with a batch from the store.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::{BatchRecord, Clock};
use livius_launch::{Launcher, empty_log};
use livius_store::{BatchStore, Unended};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use super::Batches;
use super::actor::{Actor, Begin, Own, join_queue};
use super::core::Core;
use super::registry::Entry;
use crate::config::Config;
use crate::error::SessionError;
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
        let core = Core::new(config, store, launcher, clock);
        let batches = Self {
            core: Arc::new(core),
        };
        for unended in unended {
            batches.take_up(unended);
        }
        let lifecycle = &batches.core.lifecycle;
        lifecycle.spawn(Arc::clone(&batches.core.turns).run(lifecycle.clone()));
        lifecycle.spawn(batches.clone().forget_old());
        Ok(batches)
    }

    fn take_up(&self, unended: Unended<BatchRecord>) {
        let Unended { record, listed } = unended;
        let place = record
            .state
            .is_queued()
            .then(|| Arc::clone(&self.core.places).try_acquire_owned().ok())
            .flatten();
        self.spawn_actor(record, Begin::Recovered, !listed, place);
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
        let log = match &record.driver {
            Some(driver) => self.core.launcher.files(&driver.id).log(),
            None => empty_log(),
        };
        let entry = Arc::new(Entry::new(record.id, hidden, log, messages, view));
        self.core.registry.insert(&entry);
        if let Some(driver) = &record.driver {
            self.core
                .registry
                .name_driver(record.id, driver.id.clone(), None);
        }
        // Nobody who waits is overtaken while its actor comes to life.
        if record.state.is_queued() {
            join_queue(&self.core, record.id, reports.clone());
        }
        // Counted before any other batch gets its turn.
        let running = (!record.state.is_queued())
            .then(|| self.core.turns.recovered())
            .flatten();
        let own = Own {
            waiting,
            running,
            view: view_sender,
            reports,
        };
        let actor = Actor::new(Arc::clone(&self.core), Arc::clone(&entry), record, own);
        self.core
            .lifecycle
            .spawn(actor.run(begin, inbox, reports_inbox));
        entry
    }

    /// Forgets ended batches in excess, with their directories, until the server stops.
    async fn forget_old(self) {
        let mut interval = tokio::time::interval(PURGE_INTERVAL);
        loop {
            tokio::select! {
                biased;
                () = self.core.lifecycle.stopping() => return,
                _ = interval.tick() => self.purge().await,
            }
        }
    }

    /// Each call of the store takes a part, so that others get their turn to write in between.
    async fn purge(&self) {
        let limits = &self.core.config.limits;
        // A retention that reaches back before all time keeps everything.
        let before = self
            .core
            .clock
            .now()
            .checked_sub(limits.ended_batch_retention);
        let before = before.unwrap_or(Timestamp::MIN);
        let keep = limits.ended_batches as u64;
        loop {
            match self.core.store.purge_batches(before, keep).await {
                Ok(records) if records.is_empty() => return,
                Ok(records) => {
                    for driver in records.into_iter().filter_map(|record| record.driver) {
                        self.core.launcher.files(&driver.id).remove().await;
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
