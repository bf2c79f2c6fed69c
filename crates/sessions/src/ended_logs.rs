//! The logs of sessions and batches that have ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use livius_launch::LogSource;

/// The number of logs that are kept open: a client pages through one at a time.
const KEPT: usize = 16;

/// The logs of ended sessions, or batches, that were read last. A log that is kept has its line
/// index, so the next page of it costs little.
#[derive(Debug)]
pub struct EndedLogs<Id> {
    /// The log that was read last stands last.
    logs: Mutex<VecDeque<(Id, Arc<dyn LogSource>)>>,
}

impl<Id> Default for EndedLogs<Id> {
    fn default() -> Self {
        Self {
            logs: Mutex::default(),
        }
    }
}

impl<Id: PartialEq + Copy> EndedLogs<Id> {
    /// The log of a session or batch; it is opened if it is not kept.
    pub fn get(&self, id: Id, open: impl FnOnce() -> Arc<dyn LogSource>) -> Arc<dyn LogSource> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = logs.iter().position(|(kept, _)| *kept == id);
        let log = match kept.and_then(|at| logs.remove(at)) {
            Some((_, log)) => log,
            None => open(),
        };
        if logs.len() >= KEPT {
            logs.pop_front();
        }
        logs.push_back((id, Arc::clone(&log)));
        log
    }
}

#[cfg(test)]
mod tests {
    use livius_launch::empty_log;

    use super::*;

    #[test]
    fn the_log_that_was_read_longest_ago_goes_first() {
        let logs = EndedLogs::default();
        let opened = std::cell::Cell::new(0);
        let read = |id: usize| {
            logs.get(id, || {
                opened.set(opened.get() + 1);
                empty_log()
            });
        };
        (0..KEPT).for_each(read);
        read(0);
        read(KEPT);
        assert_eq!(opened.get(), KEPT + 1);
        // The first was read again, so the second had to go.
        read(0);
        assert_eq!(opened.get(), KEPT + 1);
        read(1);
        assert_eq!(opened.get(), KEPT + 2);
    }
}
