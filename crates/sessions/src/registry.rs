//! The live sessions.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use livius_domain::{DriverId, SessionId};
use livius_launch::LogSource;
use tokio::sync::Semaphore;

use crate::board::Board;
use crate::message::Mailbox;
use crate::view::{SessionRef, SessionView};

/// A live session, as everybody but its actor sees it.
#[derive(Debug)]
pub struct Entry {
    /// Its number.
    pub id: SessionId,
    /// The driver that it runs on.
    pub driver: DriverId,
    /// SHA-256 of the agent's secret, in hex.
    pub token_hash: String,
    /// Whether it was deleted: it is being stopped and nobody is shown it.
    pub hidden: std::sync::atomic::AtomicBool,
    /// How to reach its actor.
    pub mailbox: Mailbox,
    /// Its statements.
    pub board: Arc<Board>,
    /// Its log.
    pub log: Arc<dyn LogSource>,
    /// When a request last named it, for the heartbeat.
    pub touched: Instant,
    /// When its start began; 0 while it waits for that.
    pub start_began: Instant,
    /// When the link was lost; 0 while it is up.
    pub link_lost: Instant,
    /// How many of its jobs are not over. They do not make it busy, as with Livy, but it is not idle either.
    pub unfinished_jobs: AtomicUsize,
    /// One for each file that may be on its way to the driver.
    pub resource_places: Arc<Semaphore>,
}

/// A moment that several threads may read and set, as microseconds since the epoch; 0 is never.
#[derive(Debug, Default)]
pub struct Instant(AtomicI64);

impl Instant {
    /// At a time.
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_microsecond()))
    }

    /// Sets it.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_microsecond(), Ordering::Relaxed);
    }

    /// Makes it never.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The time, unless never.
    pub fn get(&self) -> Option<Timestamp> {
        let micros = self.0.load(Ordering::Relaxed);
        (micros != 0)
            .then(|| Timestamp::from_microsecond(micros).ok())
            .flatten()
    }
}

impl Entry {
    /// What is shown of it now.
    pub fn view(&self) -> Arc<SessionView> {
        self.mailbox.view()
    }

    fn is_hidden(&self) -> bool {
        self.hidden.load(Ordering::Acquire)
    }
}

#[derive(Debug, Default)]
struct Tables {
    sessions: BTreeMap<SessionId, Arc<Entry>>,
    drivers: HashMap<DriverId, SessionId>,
    names: HashMap<String, SessionId>,
}

/// The live sessions by id, driver and name.
#[derive(Debug, Default)]
pub struct Registry {
    tables: RwLock<Tables>,
}

impl Registry {
    /// Adds one.
    pub fn insert(&self, entry: &Arc<Entry>) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.drivers.insert(entry.driver.clone(), entry.id);
        if let (Some(name), false) = (&entry.view().record.request.submit.name, entry.is_hidden()) {
            tables.names.insert(name.clone(), entry.id);
        }
        tables.sessions.insert(entry.id, Arc::clone(entry));
    }

    /// Takes one away.
    pub fn remove(&self, id: SessionId) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = tables.sessions.remove(&id) {
            tables.drivers.remove(&entry.driver);
            tables.names.retain(|_, named| *named != id);
        }
    }

    /// Hides one: it is found by its actor and its driver alone from then on.
    pub fn hide(&self, entry: &Entry) {
        entry.hidden.store(true, Ordering::Release);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.names.retain(|_, named| *named != entry.id);
    }

    /// One that may be shown.
    pub fn find(&self, which: &SessionRef) -> Option<Arc<Entry>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let id = match which {
            SessionRef::Id(id) => *id,
            SessionRef::Name(name) => *tables.names.get(name)?,
        };
        tables
            .sessions
            .get(&id)
            .filter(|entry| !entry.is_hidden())
            .cloned()
    }

    /// The one that a driver belongs to, shown or not.
    pub fn find_driver(&self, driver: &DriverId) -> Option<Arc<Entry>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.sessions.get(tables.drivers.get(driver)?).cloned()
    }

    /// All of them, shown or not.
    pub fn all(&self) -> Vec<Arc<Entry>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.sessions.values().cloned().collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tables
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .sessions
            .len()
    }
}
