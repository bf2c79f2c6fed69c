//! The logs of what has ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use livius_launch::LogSource;

/// How many logs have their index kept: a client pages through one at a time.
const KEPT: usize = 16;

/// The logs of ended sessions, or batches, that were read last.
#[derive(Debug)]
pub struct EndedLogs<Id> {
    logs: Mutex<BTreeMap<Id, Arc<dyn LogSource>>>,
}

impl<Id> Default for EndedLogs<Id> {
    fn default() -> Self {
        Self {
            logs: Mutex::default(),
        }
    }
}

impl<Id: Ord + Copy> EndedLogs<Id> {
    /// The log of one that has ended; `open` is called when it is not kept.
    pub fn get(&self, id: Id, open: impl FnOnce() -> Arc<dyn LogSource>) -> Arc<dyn LogSource> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if logs.len() >= KEPT && !logs.contains_key(&id) {
            logs.pop_first();
        }
        Arc::clone(logs.entry(id).or_insert_with(open))
    }
}
