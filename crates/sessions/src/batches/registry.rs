//! The live batches.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use livius_domain::BatchId;
use tokio::sync::mpsc;

use super::message::Message;
use crate::driver::DriverHandle;
use crate::feed::Feed;
use crate::view::{BatchRef, BatchView};

/// A live batch, as everything but its actor sees it.
#[derive(Debug)]
pub struct Entry {
    /// Its number.
    pub id: BatchId,
    /// The driver that runs its application.
    pub driver: Arc<DriverHandle>,
    /// Whether it was deleted: it is being ended and no client is shown it.
    pub hidden: AtomicBool,
    /// To its actor.
    pub messages: mpsc::Sender<Message>,
    /// The published view.
    pub feed: Feed<BatchView>,
}

impl Entry {
    /// The published view.
    pub fn view(&self) -> Arc<BatchView> {
        self.feed.view()
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
}

/// The live batches by id and name.
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
    }

    /// Hides one: only its actor finds it from then on.
    pub fn hide(&self, entry: &Entry) {
        entry.hidden.store(true, Ordering::Release);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.names.retain(|_, named| *named != entry.id);
    }

    /// Finds an entry that is not hidden.
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

    /// All of them, shown or not.
    pub fn all(&self) -> Vec<Arc<Entry>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.batches.values().cloned().collect()
    }

    /// One, shown or not.
    pub fn get(&self, id: BatchId) -> Option<Arc<Entry>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.batches.get(&id).cloned()
    }
}
