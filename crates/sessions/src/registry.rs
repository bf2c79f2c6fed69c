//! The live sessions, or the live batches.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

use crate::view::Ref;

/// A session or a batch that has an actor.
pub trait Live {
    /// The type of its number.
    type Id: Copy + Ord;

    /// What clients that follow all of them are told.
    type Change;

    /// Its number.
    fn id(&self) -> Self::Id;

    /// Its name, which never changes.
    fn name(&self) -> Option<String>;

    /// The mark of a deleted one, which only its actor may find.
    fn hidden(&self) -> &AtomicBool;

    /// Tells whether it was deleted.
    fn is_hidden(&self) -> bool {
        self.hidden().load(Ordering::Acquire)
    }
}

struct Tables<E: Live> {
    entries: BTreeMap<E::Id, Arc<E>>,
    names: HashMap<String, E::Id>,
}

impl<E: Live> Tables<E> {
    /// Another entry may have got the name since.
    fn free_name(&mut self, entry: &E) {
        if let Some(name) = entry.name()
            && self.names.get(&name) == Some(&entry.id())
        {
            self.names.remove(&name);
        }
    }
}

/// The live entries by id and name.
pub struct Registry<E: Live> {
    tables: RwLock<Tables<E>>,
    /// The number of hidden entries. It changes under the lock of the tables.
    hidden: watch::Sender<usize>,
}

impl<E: Live> Default for Registry<E> {
    fn default() -> Self {
        Self {
            tables: RwLock::new(Tables {
                entries: BTreeMap::new(),
                names: HashMap::new(),
            }),
            hidden: watch::Sender::default(),
        }
    }
}

impl<E: Live> Registry<E> {
    fn read(&self) -> RwLockReadGuard<'_, Tables<E>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables<E>> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one.
    pub fn insert(&self, entry: &Arc<E>) {
        let mut tables = self.write();
        if entry.is_hidden() {
            self.hidden.send_modify(|hidden| *hidden += 1);
        } else if let Some(name) = entry.name() {
            tables.names.insert(name, entry.id());
        }
        tables.entries.insert(entry.id(), Arc::clone(entry));
    }

    /// Takes one away.
    pub fn remove(&self, entry: &E) {
        let mut tables = self.write();
        let removed = tables.entries.remove(&entry.id());
        tables.free_name(entry);
        if removed.is_some() && entry.is_hidden() {
            self.hidden.send_modify(|hidden| *hidden -= 1);
        }
    }

    /// Hides one: only its actor finds it from then on.
    pub fn hide(&self, entry: &E) {
        let mut tables = self.write();
        let was_hidden = entry.hidden().swap(true, Ordering::AcqRel);
        tables.free_name(entry);
        if !was_hidden && tables.entries.contains_key(&entry.id()) {
            self.hidden.send_modify(|hidden| *hidden += 1);
        }
    }

    /// Returns when no entry is hidden.
    pub async fn none_hidden(&self) {
        let _ = self
            .hidden
            .subscribe()
            .wait_for(|hidden| *hidden == 0)
            .await;
    }

    /// All that are hidden.
    pub fn all_hidden(&self) -> Vec<Arc<E>> {
        let tables = self.read();
        let hidden = tables.entries.values().filter(|entry| entry.is_hidden());
        hidden.cloned().collect()
    }

    /// Finds an entry that is not hidden.
    pub fn find(&self, which: &Ref<E::Id>) -> Option<Arc<E>> {
        let tables = self.read();
        let id = match which {
            Ref::Id(id) => id,
            Ref::Name(name) => tables.names.get(name)?,
        };
        let entry = tables.entries.get(id);
        entry.filter(|entry| !entry.is_hidden()).cloned()
    }

    /// One, shown or not.
    pub fn get(&self, id: E::Id) -> Option<Arc<E>> {
        self.read().entries.get(&id).cloned()
    }

    /// All of them, shown or not.
    pub fn all(&self) -> Vec<Arc<E>> {
        self.read().entries.values().cloned().collect()
    }
}
