//! Taking up batches: those in the store when the server starts, and those that another server has
//! lost. Both go the same way.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::batch::BatchStart;
use livius_domain::{
    BatchEnd, BatchOutcome, BatchRecord, BatchState, Clock, DriverId, DriverProgram, DriverRecord,
    DriverState, DriverUse, StopCause, chain,
};
use livius_launch::Launcher;
use livius_store::{Store, Unended};
use tokio::sync::{mpsc, watch};

use super::Batches;
use super::actor::{Actor, ActorSetup, Places};
use super::entry::{Core, Entry};
use super::rescue::rescue;
use crate::config::Config;
use crate::driver::{self, Origin, Purpose};
use crate::error::SessionError;
use crate::feed::feed;
use crate::mailbox::Mailbox;
use crate::reconcile::{self, Unclaimed};
use crate::view::BatchView;

/// Messages that wait for one actor; a sender that finds the queue full waits.
const MAILBOX: usize = 16;

const PURGE_INTERVAL: Duration = Duration::from_mins(1);

/// The pause before another attempt to take up the batches of the store.
const TAKE_UP_PAUSE: Duration = Duration::from_secs(1);

/// The number of batches that are taken up before other tasks get their turn.
const IN_A_ROW: usize = 32;

impl Batches {
    /// Opens the batches of a store. Those that have not ended are taken up in the background,
    /// because thousands may wait. Until then they are shown as they are stored.
    pub fn open(
        config: Config,
        store: Arc<dyn Store>,
        launcher: Arc<dyn Launcher>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let core = Arc::new(Core::new(
            DriverProgram::Application,
            config,
            store,
            launcher,
            clock,
        ));
        let (done, all_taken_up) = watch::channel(false);
        let batches = Self { core, all_taken_up };
        let lifecycle = &batches.core.lifecycle;
        lifecycle.spawn(batches.clone().begin(done));
        batches
    }

    /// Takes up the batches of the store, and then starts the others' work.
    async fn begin(self, done: watch::Sender<bool>) {
        let lifecycle = self.core.lifecycle.clone();
        while let Err(error) = self.take_up_stored().await {
            tracing::error!(error = %chain(&error), "cannot take up the batches of the store; trying again");
            tokio::select! {
                () = lifecycle.stopping() => return,
                () = tokio::time::sleep(TAKE_UP_PAUSE) => {}
            }
        }
        done.send_replace(true);
        let admission = Arc::clone(&self.core.drivers.admission);
        lifecycle.spawn(admission.run(lifecycle.clone()));
        let these = self.clone();
        lifecycle.spawn(reconcile::keep(
            Arc::clone(&self.core.drivers),
            move |lost| {
                let these = these.clone();
                async move { these.take_up_all(lost).await }
            },
        ));
        lifecycle.spawn(self.forget_old());
    }

    async fn take_up_stored(&self) -> Result<(), SessionError> {
        let drivers = reconcile::claim_all(&self.core.drivers).await?;
        self.take_up_all(drivers).await
    }

    /// Waits until all batches of the store are taken up, or the server stops.
    pub async fn all_taken_up(&self) {
        let _ = self.all_taken_up.clone().wait_for(|done| *done).await;
    }

    /// Takes up every batch that has not ended and has no actor, with the drivers claimed for them.
    async fn take_up_all(
        &self,
        mut drivers: HashMap<DriverId, DriverRecord>,
    ) -> Result<(), SessionError> {
        // Batches that are being created have a row and a driver, and no actor yet.
        let _registering = self.core.registering.write().await;
        let unended = self.core.store.unended_batches().await?;
        for (number, Unended { record, listed }) in unended.into_iter().enumerate() {
            if number % IN_A_ROW == IN_A_ROW - 1 {
                tokio::task::yield_now().await;
            }
            if self.core.registry.get(record.id).is_none() {
                self.take_up(record, listed, &mut drivers).await?;
            }
        }
        for id in drivers.into_keys() {
            if let Some(driver) = reconcile::current(&self.core.drivers, &id).await?
                && self.is_readable(&driver).await?
            {
                driver::end_unclaimed(&self.core.drivers, driver).await;
            }
        }
        Ok(())
    }

    async fn is_readable(&self, driver: &DriverRecord) -> Result<bool, SessionError> {
        let DriverUse::Batch(id) = driver.made_for else {
            return Ok(true);
        };
        let row = self.core.store.batch(id).await;
        reconcile::is_readable(&driver.id, row)
    }

    async fn take_up(
        &self,
        mut record: BatchRecord,
        listed: bool,
        drivers: &mut HashMap<DriverId, DriverRecord>,
    ) -> Result<(), SessionError> {
        let driver = record.driver.as_ref().and_then(|id| drivers.remove(id));
        let unbegun = driver
            .as_ref()
            .is_none_or(|driver| driver.state == DriverState::Queued);
        if !listed && unbegun && record.state == BatchState::NEW {
            if let Some(driver) = driver {
                driver::end_unclaimed(&self.core.drivers, driver).await;
            }
            return self.forget(record).await;
        }
        let driver = match driver {
            Some(driver) => driver,
            None => match self.driver_of(&mut record).await? {
                Some(driver) => driver,
                // Another server drives it.
                None => return Ok(()),
            },
        };
        let waits = driver.state == DriverState::Queued;
        let places = Places {
            waiting: waits
                .then(|| Arc::clone(&self.core.places).try_acquire_owned().ok())
                .flatten(),
            held: self.core.texts.hold(record.request.bytes()),
        };
        self.spawn_actor(record, driver, Origin::Recovered, !listed, places);
        Ok(())
    }

    /// The driver of a batch for which the server claimed none. `None` when another server drives it.
    async fn driver_of(
        &self,
        record: &mut BatchRecord,
    ) -> Result<Option<DriverRecord>, SessionError> {
        let found = reconcile::unclaimed(&self.core.drivers, record.driver.as_ref()).await?;
        Ok(match found {
            Unclaimed::Gone(driver) => Some(*driver),
            Unclaimed::Elsewhere => None,
            Unclaimed::Missing if record.state == BatchState::NEW => {
                Some(self.new_driver(record).await?)
            }
            Unclaimed::Missing => Some(reconcile::lost(
                self.core.drivers.record(DriverUse::Batch(record.id)),
            )),
        })
    }

    /// Stores a driver for a batch, and names it in the batch's record.
    pub(super) async fn new_driver(
        &self,
        record: &mut BatchRecord,
    ) -> Result<DriverRecord, SessionError> {
        let driver = self.core.drivers.record(DriverUse::Batch(record.id));
        self.core.store.create_driver(&driver).await?;
        record.driver = Some(driver.id.clone());
        self.core.store.update_batch(record).await?;
        Ok(driver)
    }

    /// Ends a batch that was deleted, or refused, before anything was started for it.
    async fn forget(&self, mut record: BatchRecord) -> Result<(), SessionError> {
        record.state = BatchState::Ended(BatchEnd {
            outcome: BatchOutcome::Killed,
            cause: Some(StopCause::User),
            failure: None,
            exit: None,
        });
        record.times.ended_at = Some(self.core.clock.now());
        Arc::make_mut(&mut record.request).hide_secrets();
        Ok(self.core.store.update_batch(&mut record).await?)
    }

    /// Makes the entry of a batch, and starts the actors of the batch and of its driver.
    pub(super) fn spawn_actor(
        &self,
        record: BatchRecord,
        driver: DriverRecord,
        origin: Origin,
        hidden: bool,
        places: Places,
    ) -> Arc<Entry> {
        let (messages, inbox) = mpsc::channel(MAILBOX);
        let step = BatchStart::of(&driver.state);
        let purpose = Purpose::Batch(Box::new(record.clone()));
        let driver = driver::spawn(&self.core.drivers, driver, purpose, origin);
        let starts = record.state == BatchState::Starting;
        let view = BatchView {
            record: record.clone(),
            step: step.filter(|_| starts),
        };
        let (publisher, feed) = feed(view, self.core.clock.now());
        let entry = Arc::new(Entry {
            id: record.id,
            driver,
            hidden: AtomicBool::new(hidden),
            mailbox: Mailbox { messages, feed },
        });
        self.core.registry.insert(&entry);
        if !hidden {
            let status = entry.view().status();
            self.core.changes.batch(&record, Some(status));
        }
        let (core, to_end) = (Arc::clone(&self.core), Arc::clone(&entry));
        let feed = publisher.clone();
        let rescue = || rescue(core, to_end, feed);
        let setup = ActorSetup { places, publisher };
        let actor = Actor::new(Arc::clone(&self.core), Arc::clone(&entry), record, setup);
        self.core
            .lifecycle
            .spawn_owner(Box::new(actor).run(origin, inbox), rescue);
        entry
    }

    /// Forgets ended batches in excess, with their files, until the server stops.
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
        let now = self.core.clock.now();
        let retention = limits.ended_batch_retention;
        let before = now.checked_sub(retention).unwrap_or(Timestamp::MIN);
        let keep = limits.ended_batches as u64;
        loop {
            match self.core.store.purge_batches(before, keep).await {
                Ok(records) if records.is_empty() => return,
                Ok(records) => {
                    for id in records.into_iter().filter_map(|record| record.driver) {
                        self.core.drivers.forget(&id).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "cannot forget old batches");
                    return;
                }
            }
        }
    }
}
