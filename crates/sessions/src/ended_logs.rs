//! The logs of what has ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;

use crate::log::SessionLog;

/// How many logs have their index kept: a client pages through one at a time.
const KEPT: usize = 16;

/// The logs of ended sessions, or batches, that were read last.
#[derive(Debug)]
pub struct EndedLogs<Id> {
    logs: Mutex<BTreeMap<Id, Arc<SessionLog>>>,
}

impl<Id> Default for EndedLogs<Id> {
    fn default() -> Self {
        Self {
            logs: Mutex::default(),
        }
    }
}

impl<Id: Ord + Copy> EndedLogs<Id> {
    /// The log of the one whose driver had that directory.
    pub fn get(&self, id: Id, dir: &Utf8Path) -> Arc<SessionLog> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if logs.len() >= KEPT && !logs.contains_key(&id) {
            logs.pop_first();
        }
        let log = logs
            .entry(id)
            .or_insert_with(|| Arc::new(SessionLog::of(dir)));
        Arc::clone(log)
    }
}
