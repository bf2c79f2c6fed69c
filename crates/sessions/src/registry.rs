//! The live sessions.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use livius_domain::SessionId;
use tokio::sync::Semaphore;

use crate::atomic_timestamp::AtomicTimestamp;
use crate::board::Board;
use crate::driver::DriverHandle;
use crate::message::Mailbox;
use crate::view::{SessionRef, SessionView};

/// A live session, as everybody but its actor sees it.
#[derive(Debug)]
pub struct Entry {
    /// Its number.
    pub id: SessionId,
    /// The driver that it runs on.
    pub driver: Arc<DriverHandle>,
    /// Whether it was deleted. It is being stopped, and no client sees it.
    pub hidden: std::sync::atomic::AtomicBool,
    /// How to reach its actor.
    pub mailbox: Mailbox,
    /// Its statements.
    pub board: Arc<Board>,
    /// When a request last named it, for the heartbeat.
    pub touched: AtomicTimestamp,
    /// How many of its jobs are not over. They do not make it busy, as with Livy, but it is not
    /// idle either.
    pub unfinished_jobs: AtomicUsize,
    /// One for each file that may be on its way to the driver.
    pub resource_places: Arc<Semaphore>,
}

impl Entry {
    /// The published view.
    pub fn view(&self) -> Arc<SessionView> {
        self.mailbox.view()
    }

    /// Whether it was deleted.
    pub fn is_hidden(&self) -> bool {
        self.hidden.load(Ordering::Acquire)
    }
}

#[derive(Debug, Default)]
struct Tables {
    sessions: BTreeMap<SessionId, Arc<Entry>>,
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
        if let (Some(name), false) = (&entry.view().record.request.submit.name, entry.is_hidden()) {
            tables.names.insert(name.clone(), entry.id);
        }
        tables.sessions.insert(entry.id, Arc::clone(entry));
    }

    /// Takes one away.
    pub fn remove(&self, id: SessionId) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if tables.sessions.remove(&id).is_some() {
            tables.names.retain(|_, named| *named != id);
        }
    }

    /// Hides one: only its actor finds it from then on.
    pub fn hide(&self, entry: &Entry) {
        entry.hidden.store(true, Ordering::Release);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.names.retain(|_, named| *named != entry.id);
    }

    /// Finds an entry that is not hidden.
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

    /// Whether one is there, shown or not.
    pub fn contains(&self, id: SessionId) -> bool {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.sessions.contains_key(&id)
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
