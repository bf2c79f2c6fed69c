//! The newest changes of all sessions, or of all batches, in their order: for clients that follow all
//! that they may see.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use livius_domain::{BatchId, BatchRecord, SessionId, SessionRecord};
use tokio::sync::watch;

use crate::action::Action;
use crate::config::Config;
use crate::feed::Change;
use crate::lifecycle::Lifecycle;
use crate::policy::{Caller, Subject, admit};
use crate::view::{BatchStatus, SessionStatus};

/// The changes that are kept. A client that is away for longer asks for lists again.
const KEPT: usize = 5_000;

/// A session has a new state; `None` if it was deleted.
pub type SessionChange = (SessionId, Option<SessionStatus>);

/// A batch has a new state; `None` if it was deleted.
pub type BatchChange = (BatchId, Option<BatchStatus>);

/// The changes. Their numbers count on from the time in microseconds, so a number from before a
/// restart of the server is older than every number after it.
#[derive(Debug)]
pub struct Changes<T> {
    kept: Mutex<Kept<T>>,
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct Kept<T> {
    /// The number of the change before the first one here.
    before: u64,
    changes: VecDeque<Arc<Noted<T>>>,
}

#[derive(Debug)]
struct Noted<T> {
    owner: Option<String>,
    proxy_user: Option<String>,
    change: T,
}

impl<T> Changes<T> {
    /// No changes yet.
    pub fn since(now: Timestamp) -> Self {
        let before = u64::try_from(now.as_microsecond()).unwrap_or_default();
        Self {
            kept: Mutex::new(Kept {
                before,
                changes: VecDeque::new(),
            }),
            newest: watch::Sender::new(before),
        }
    }

    fn note(&self, owner: Option<&String>, proxy_user: Option<&String>, change: T) {
        let mut kept = self.kept();
        kept.changes.push_back(Arc::new(Noted {
            owner: owner.cloned(),
            proxy_user: proxy_user.cloned(),
            change,
        }));
        if kept.changes.len() > KEPT {
            kept.changes.pop_front();
            kept.before += 1;
        }
        // Under the lock, so that the numbers only grow.
        self.newest
            .send_replace(kept.before + kept.changes.len() as u64);
    }

    /// The changes after one, and the number of the newest. The first is `None` if some of them are
    /// not kept.
    fn after(&self, number: u64) -> (Option<Vec<Arc<Noted<T>>>>, u64) {
        let kept = self.kept();
        let newest = kept.before + kept.changes.len() as u64;
        let skipped = number
            .checked_sub(kept.before)
            .filter(|_| number <= newest)
            .and_then(|skipped| usize::try_from(skipped).ok());
        let changes = skipped.map(|skipped| kept.changes.iter().skip(skipped).cloned().collect());
        (changes, newest)
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes<SessionChange> {
    /// Notes that a session has a new state; `None` if it was deleted.
    pub fn session(&self, record: &SessionRecord, status: Option<SessionStatus>) {
        let (owner, proxy_user) = (record.owner.as_ref(), record.proxy_user.as_ref());
        self.note(owner, proxy_user, (record.id, status));
    }
}

impl Changes<BatchChange> {
    /// Notes that a batch has a new state; `None` if it was deleted.
    pub fn batch(&self, record: &BatchRecord, status: Option<BatchStatus>) {
        let (owner, proxy_user) = (record.owner.as_ref(), record.proxy_user.as_ref());
        self.note(owner, proxy_user, (record.id, status));
    }
}

/// A client that follows the changes that it may see.
#[derive(Debug)]
pub struct ChangeFeed<T> {
    changes: Arc<Changes<T>>,
    newest: watch::Receiver<u64>,
    seen: u64,
    config: Arc<Config>,
    caller: Caller,
    lifecycle: Lifecycle,
}

impl<T: Clone + Debug> ChangeFeed<T> {
    /// Follows from now on.
    pub(crate) fn new(
        changes: &Arc<Changes<T>>,
        config: &Arc<Config>,
        lifecycle: &Lifecycle,
        caller: &Caller,
    ) -> Self {
        let newest = changes.newest.subscribe();
        let seen = *newest.borrow();
        Self {
            changes: Arc::clone(changes),
            newest,
            seen,
            config: Arc::clone(config),
            caller: caller.clone(),
            lifecycle: lifecycle.clone(),
        }
    }

    /// The number of the last change that was read.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Goes on after an earlier change.
    pub fn resume(&mut self, seen: u64) {
        self.seen = seen;
    }

    /// Reads what is new, with its numbers. `None` if changes are missing: there were too many, or
    /// the server was restarted.
    pub fn read(&mut self) -> Option<Vec<(u64, T)>> {
        let (changes, newest) = self.changes.after(self.seen);
        let first = std::mem::replace(&mut self.seen, newest) + 1;
        let numbered = (first..).zip(changes?);
        let seen = numbered.filter(|(_, noted)| self.may_see(noted));
        Some(
            seen.map(|(number, noted)| (number, noted.change.clone()))
                .collect(),
        )
    }

    fn may_see(&self, noted: &Noted<T>) -> bool {
        let subject = Subject {
            owner: noted.owner.as_deref(),
            proxy_user: noted.proxy_user.as_deref(),
        };
        let policy = &*self.config.policy;
        admit(policy, &self.caller, Action::Read, subject, &"it").is_ok()
    }

    /// Waits for something new.
    pub async fn changed(&mut self) -> Change {
        let seen = self.seen;
        tokio::select! {
            biased;
            newer = self.newest.wait_for(|newest| *newest > seen) => match newer {
                Ok(_) => Change::Changed,
                Err(_) => Change::Ended,
            },
            () = self.lifecycle.draining() => Change::Stopping,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(changes: &Changes<usize>, after: u64) -> Option<Vec<usize>> {
        let (kept, _) = changes.after(after);
        Some(kept?.iter().map(|noted| noted.change).collect())
    }

    #[test]
    fn changes_are_numbered_bounded_and_missed() {
        let changes = Changes::since(Timestamp::from_microsecond(1_000).unwrap());
        assert_eq!(numbers(&changes, 1_000), Some(vec![]));
        for change in 0..3 {
            changes.note(None, None, change);
        }
        assert_eq!(numbers(&changes, 1_000), Some(vec![0, 1, 2]));
        assert_eq!(numbers(&changes, 1_002), Some(vec![2]));
        assert_eq!(numbers(&changes, 1_003), Some(vec![]));
        assert_eq!(*changes.newest.borrow(), 1_003);
        // From another server.
        assert_eq!(numbers(&changes, 999), None);
        assert_eq!(numbers(&changes, 1_004), None);
        for change in 3..KEPT + 2 {
            changes.note(None, None, change);
        }
        assert_eq!(numbers(&changes, 1_001), None);
        let kept = numbers(&changes, 1_002).unwrap();
        assert_eq!((kept.len(), kept[0]), (KEPT, 2));
    }
}
