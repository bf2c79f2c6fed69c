//! The live batches.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use livius_domain::{BatchId, DriverId};
use livius_launch::LogSource;
use tokio::sync::{mpsc, watch};

use super::message::Message;
use crate::view::{BatchRef, BatchView};

/// A live batch, as everybody but its actor sees it.
#[derive(Debug)]
pub struct Entry {
    /// Its number.
    pub id: BatchId,
    /// Whether it was deleted: it is being ended and nobody is shown it.
    hidden: AtomicBool,
    /// To its actor.
    pub messages: mpsc::Sender<Message>,
    /// What is shown of it.
    pub view: watch::Receiver<Arc<BatchView>>,
    /// Its log. A launch that is repeated is another driver, with a log of its own.
    log: RwLock<Arc<dyn LogSource>>,
}

impl Entry {
    /// An entry with the log of its driver.
    pub fn new(
        id: BatchId,
        hidden: bool,
        log: Arc<dyn LogSource>,
        messages: mpsc::Sender<Message>,
        view: watch::Receiver<Arc<BatchView>>,
    ) -> Self {
        Self {
            id,
            hidden: AtomicBool::new(hidden),
            messages,
            view,
            log: RwLock::new(log),
        }
    }

    /// Its log.
    pub fn log(&self) -> Arc<dyn LogSource> {
        Arc::clone(&self.log.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells which log it has from now on.
    pub fn log_to(&self, log: Arc<dyn LogSource>) {
        *self.log.write().unwrap_or_else(PoisonError::into_inner) = log;
    }

    /// What is shown of it now.
    pub fn view(&self) -> Arc<BatchView> {
        Arc::clone(&self.view.borrow())
    }

    /// Whether it was deleted.
    pub fn is_hidden(&self) -> bool {
        self.hidden.load(Ordering::Acquire)
    }
}

#[derive(Debug, Default)]
struct Tables {
    batches: BTreeMap<BatchId, Arc<Entry>>,
    names: HashMap<String, BatchId>,
    drivers: HashMap<DriverId, BatchId>,
}

/// The live batches by id, name and driver.
#[derive(Debug, Default)]
pub struct Registry {
    tables: RwLock<Tables>,
}

impl Registry {
    /// Adds one.
    pub fn insert(&self, entry: &Arc<Entry>) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let view = entry.view();
        if let (Some(name), false) = (&view.record.request.submit.name, entry.is_hidden()) {
            tables.names.insert(name.clone(), entry.id);
        }
        tables.batches.insert(entry.id, Arc::clone(entry));
    }

    /// Tells which driver one has, and which it had before: its agent may come from now on.
    pub fn name_driver(&self, batch: BatchId, driver: DriverId, before: Option<&DriverId>) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = before {
            tables.drivers.remove(before);
        }
        tables.drivers.insert(driver, batch);
    }

    /// Takes one away.
    pub fn remove(&self, entry: &Entry) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.batches.remove(&entry.id);
        let view = entry.view();
        if let Some(name) = &view.record.request.submit.name
            && tables.names.get(name) == Some(&entry.id)
        {
            tables.names.remove(name);
        }
        if let Some(driver) = &view.record.driver {
            tables.drivers.remove(&driver.id);
        }
    }

    /// Hides one: it is found by its actor and its driver alone from then on.
    pub fn hide(&self, entry: &Entry) {
        entry.hidden.store(true, Ordering::Release);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.names.retain(|_, named| *named != entry.id);
    }

    /// One that may be shown.
    pub fn find(&self, which: &BatchRef) -> Option<Arc<Entry>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let id = match which {
            BatchRef::Id(id) => *id,
            BatchRef::Name(name) => *tables.names.get(name)?,
        };
        tables
            .batches
            .get(&id)
            .filter(|entry| !entry.is_hidden())
            .cloned()
    }

    /// The one that a driver belongs to, shown or not.
    pub fn find_driver(&self, driver: &DriverId) -> Option<Arc<Entry>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.batches.get(tables.drivers.get(driver)?).cloned()
    }

    /// All of them, shown or not.
    pub fn all(&self) -> Vec<Arc<Entry>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.batches.values().cloned().collect()
    }
}
