//! Taking up sessions: those in the store when the server starts, and those that another server has
//! lost. Both go the same way.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use livius_domain::{
    Clock, DriverId, DriverProgram, DriverRecord, DriverState, DriverUse, End, Outcome,
    SessionRecord, SessionState, StopCause,
};
use livius_failpoint::{Point, reach};
use livius_launch::Launcher;
use livius_store::{Store, Unended};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Sessions;
use crate::actor::{Actor, ActorSetup, rescue};
use crate::atomic_timestamp::AtomicTimestamp;
use crate::board::Board;
use crate::config::Config;
use crate::driver::{self, DriverHandle, FromAgent, Origin, Purpose};
use crate::entry::{Core, Entry};
use crate::error::SessionError;
use crate::feed::feed;
use crate::keys::Keys;
use crate::message::Mailbox;
use crate::open_jobs::OpenJobs;
use crate::pools::Pools;
use crate::reconcile::{self, Unclaimed};
use crate::view::SessionView;
use crate::{history, janitor, pools, sweep, webhooks};

/// Messages that wait for one actor; a sender that finds the queue full waits.
pub(super) const MAILBOX: usize = 64;

/// The driver of a session whose actor is about to start.
pub(super) enum Seated {
    /// It has no actor yet.
    New(Box<DriverRecord>),
    /// It was taken from a pool, and the agent's messages come this way.
    Taken(Arc<DriverHandle>, mpsc::Receiver<Box<FromAgent>>),
}

impl Sessions {
    /// Opens the application on a store: every session that has not ended is taken up.
    pub async fn open(
        config: Config,
        store: Arc<dyn Store>,
        launcher: Arc<dyn Launcher>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SessionError> {
        let core = Arc::new(Core::new(
            DriverProgram::Agent,
            config,
            store,
            launcher,
            clock,
        ));
        let pools = Arc::new(Pools::new(Arc::clone(&core)));
        let keys = Keys::new(Arc::clone(&core.store), Arc::clone(&core.clock));
        let sessions = Self { core, pools, keys };
        let drivers = reconcile::claim_all(&sessions.core.drivers).await?;
        reach(Point::RecoveryClaimed);
        sessions.take_up_all(drivers).await?;
        reach(Point::RecoveryTakenUp);
        let core = &sessions.core;
        let admission = Arc::clone(&core.drivers.admission);
        core.lifecycle.spawn(admission.run(core.lifecycle.clone()));
        core.lifecycle
            .spawn(pools::run(Arc::clone(&sessions.pools)));
        core.lifecycle.spawn(janitor::run(Arc::clone(core)));
        core.lifecycle.spawn(history::run(Arc::clone(core)));
        core.lifecycle.spawn(webhooks::run(Arc::clone(core)));
        core.lifecycle.spawn(sweep::run(Arc::clone(&core.drivers)));
        let these = sessions.clone();
        core.lifecycle.spawn(reconcile::keep(
            Arc::clone(&sessions.core.drivers),
            move |lost| {
                let these = these.clone();
                async move { these.take_up_all(lost).await }
            },
        ));
        Ok(sessions)
    }

    /// Takes up every session that has not ended and has no actor, with the drivers claimed for
    /// them.
    async fn take_up_all(
        &self,
        mut drivers: HashMap<DriverId, DriverRecord>,
    ) -> Result<(), SessionError> {
        // Sessions that are being created have a row and a driver, and no actor yet.
        let _registering = self.core.registering.write().await;
        for Unended { record, listed } in self.core.store.unended_sessions().await? {
            if self.core.registry.get(record.id).is_none() {
                self.take_up(record, listed, &mut drivers).await?;
            }
        }
        for id in drivers.into_keys() {
            if let Some(driver) = reconcile::current(&self.core.drivers, &id).await?
                && self.is_readable(&driver).await?
            {
                if driver.made_for == DriverUse::Pool {
                    self.pools.take_back(driver).await;
                } else {
                    driver::end_unclaimed(&self.core.drivers, driver).await;
                }
            }
        }
        Ok(())
    }

    async fn is_readable(&self, driver: &DriverRecord) -> Result<bool, SessionError> {
        let DriverUse::Session(id) = driver.made_for else {
            return Ok(true);
        };
        let row = self.core.store.session(id).await;
        reconcile::is_readable(&driver.id, row)
    }

    async fn take_up(
        &self,
        mut record: SessionRecord,
        listed: bool,
        drivers: &mut HashMap<DriverId, DriverRecord>,
    ) -> Result<(), SessionError> {
        let driver = record.driver.as_ref().and_then(|id| drivers.remove(id));
        let unbegun = driver
            .as_ref()
            .is_none_or(|driver| driver.state == DriverState::Queued);
        if !listed && unbegun && record.state == SessionState::NEW {
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
        let place = Arc::clone(&self.core.places).try_acquire_owned().ok();
        self.pools.note_use(&record);
        let driver = Seated::New(Box::new(driver));
        self.spawn_actor(record, driver, Origin::Recovered, !listed, place);
        Ok(())
    }

    /// The driver of a session that none was claimed for. `None` when another server drives it.
    async fn driver_of(
        &self,
        record: &mut SessionRecord,
    ) -> Result<Option<DriverRecord>, SessionError> {
        let found = reconcile::unclaimed(&self.core.drivers, record.driver.as_ref()).await?;
        Ok(match found {
            Unclaimed::Gone(driver) => Some(*driver),
            Unclaimed::Elsewhere => None,
            Unclaimed::Missing if record.state == SessionState::NEW => {
                Some(self.new_driver(record).await?)
            }
            Unclaimed::Missing => Some(reconcile::lost(
                self.core.drivers.record(DriverUse::Session(record.id)),
            )),
        })
    }

    /// Stores a driver for a session, and names it in the session's record.
    pub(super) async fn new_driver(
        &self,
        record: &mut SessionRecord,
    ) -> Result<DriverRecord, SessionError> {
        let driver = self.core.drivers.record(DriverUse::Session(record.id));
        self.core.store.create_driver(&driver).await?;
        record.driver = Some(driver.id.clone());
        self.core.store.update_session(record).await?;
        Ok(driver)
    }

    /// Ends a session that was deleted, or refused, before anything was started for it.
    async fn forget(&self, mut record: SessionRecord) -> Result<(), SessionError> {
        record.state = SessionState::Ended(End {
            outcome: Outcome::Stopped,
            cause: Some(StopCause::User),
            failure: None,
            exit: None,
        });
        record.ended_at = Some(self.core.clock.now());
        Arc::make_mut(&mut record.request).hide_secrets();
        Ok(self.core.store.update_session(&mut record).await?)
    }

    /// Makes the entry of a session, and starts the actors of the session and of its driver.
    pub(super) fn spawn_actor(
        &self,
        record: SessionRecord,
        driver: Seated,
        origin: Origin,
        hidden: bool,
        place: Option<OwnedSemaphorePermit>,
    ) -> Arc<Entry> {
        let (messages, inbox) = mpsc::channel(MAILBOX);
        let (driver, from_agent) = match driver {
            Seated::Taken(driver, from_agent) => (driver, from_agent),
            Seated::New(driver) => {
                let (to_session, from_agent) = mpsc::channel(MAILBOX);
                let purpose = Purpose::Session(Box::new(record.clone()), to_session);
                let driver = driver::spawn(&self.core.drivers, *driver, purpose, origin);
                (driver, from_agent)
            }
        };
        let view = SessionView {
            record: record.clone(),
            busy: false,
            recovering: origin == Origin::Recovered,
        };
        let (publisher, feed) = feed(view, self.core.clock.now());
        let entry = Arc::new(Entry {
            id: record.id,
            driver,
            hidden: AtomicBool::new(hidden),
            mailbox: Mailbox { messages, feed },
            board: Arc::new(Board::default()),
            touched: AtomicTimestamp::at(self.core.clock.now()),
            open_jobs: OpenJobs::default(),
            waiting: AtomicUsize::default(),
            resource_places: Arc::new(Semaphore::new(self.core.config.limits.pending_resources)),
        });
        self.core.registry.insert(&entry);
        if !hidden {
            let status = entry.view().status();
            self.core.changes.session(&record, Some(status));
        }
        let (core, to_end) = (Arc::clone(&self.core), Arc::clone(&entry));
        let feed = publisher.clone();
        let rescue = || rescue(core, to_end, feed);
        let setup = ActorSetup { place, publisher };
        let actor = Actor::new(Arc::clone(&self.core), Arc::clone(&entry), record, setup);
        let life = Box::new(actor).run(origin, inbox, from_agent);
        self.core.lifecycle.spawn_owner(life, rescue);
        entry
    }
}
