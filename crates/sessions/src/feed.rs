//! The published state of a session or a batch: the newest view, and a version that counts the
//! changes.
//!
//! The actor publishes, readers look. A reader that wants to see every change waits for a version
//! past the one that it has seen. It never misses the newest state; changes that follow each other
//! quickly it may see as one.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::lifecycle::Lifecycle;

/// A new feed. Its versions count on from the time in microseconds, so a version from before a
/// restart of the server is older than every version after it.
pub fn feed<V>(view: V, now: Timestamp) -> (Publisher<V>, Feed<V>) {
    let version = u64::try_from(now.as_microsecond()).unwrap_or_default();
    let (sender, receiver) = watch::channel(Moment {
        version,
        view: Arc::new(view),
    });
    (Publisher(sender), Feed(receiver))
}

#[derive(Debug)]
struct Moment<V> {
    version: u64,
    view: Arc<V>,
}

/// The actor's end of a feed. It belongs to the actor, and to the rescue that ends what a panicked
/// actor leaves. When it is dropped, nothing will change any more.
#[derive(Debug)]
pub struct Publisher<V>(watch::Sender<Moment<V>>);

impl<V> Clone for Publisher<V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<V> Publisher<V> {
    /// Publishes a new view, and returns the one before.
    pub fn publish(&self, view: V) -> Arc<V> {
        let mut view = Arc::new(view);
        self.0.send_modify(|moment| {
            moment.version += 1;
            std::mem::swap(&mut moment.view, &mut view);
        });
        view
    }

    /// Tells readers that something has changed that is read elsewhere, such as a statement on the
    /// board.
    pub fn bump(&self) {
        self.0.send_modify(|moment| moment.version += 1);
    }
}

/// A reader's end of a feed.
#[derive(Debug)]
pub struct Feed<V>(watch::Receiver<Moment<V>>);

impl<V> Clone for Feed<V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<V> Feed<V> {
    /// The newest view.
    pub fn view(&self) -> Arc<V> {
        Arc::clone(&self.0.borrow().view)
    }

    /// The version of the published view. A reader takes it before it looks, so that it cannot miss
    /// a change in between.
    pub fn version(&self) -> u64 {
        self.0.borrow().version
    }

    /// Waits for a change that this reader has not waited for yet. False when nothing will change any
    /// more.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }

    /// The same feed for a reader that has seen everything until now.
    pub fn from_now(&self) -> Self {
        let mut moments = self.0.clone();
        moments.mark_unchanged();
        Self(moments)
    }

    /// Waits for a change that this reader has not waited for yet, or for the server to shut down.
    pub async fn changed_unless_stopping(&mut self, lifecycle: &Lifecycle) -> Change {
        tokio::select! {
            biased;
            changed = self.0.changed() => match changed {
                Ok(()) => Change::Changed,
                Err(_) => Change::Ended,
            },
            () = lifecycle.draining() => Change::Stopping,
        }
    }

    /// Waits until something has changed since that version, and returns the new one; `None` if
    /// nothing has changed by the deadline, or will ever change.
    pub async fn wait_past(&self, version: u64, deadline: Instant) -> Option<u64> {
        let mut moments = self.0.clone();
        let changed = moments.wait_for(|moment| moment.version > version);
        let changed = tokio::time::timeout_at(deadline, changed).await;
        Some(changed.ok()?.ok()?.version)
    }

    /// The looks of a reader that waits until the deadline, or until the server begins to shut down.
    pub fn looks(&self, deadline: Instant, lifecycle: &Lifecycle) -> Looks<V> {
        let mut moments = self.0.clone();
        moments.mark_unchanged();
        Looks {
            moments,
            deadline,
            lifecycle: lifecycle.clone(),
            is_last: false,
        }
    }
}

/// The result of a wait for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Something has changed.
    Changed,
    /// Nothing will change any more.
    Ended,
    /// The server shuts down.
    Stopping,
}

/// The looks of a reader that waits. The reader looks first, and asks then whether to look again.
#[derive(Debug)]
pub struct Looks<V> {
    moments: watch::Receiver<Moment<V>>,
    deadline: Instant,
    lifecycle: Lifecycle,
    is_last: bool,
}

impl<V> Looks<V> {
    /// Waits for a change since the last look. The reader looks a last time when its time is over,
    /// or nothing will change any more; after that the answer is false.
    pub async fn again(&mut self) -> bool {
        if self.is_last {
            return false;
        }
        let has_changed = tokio::select! {
            biased;
            () = self.lifecycle.draining() => false,
            changed = self.moments.changed() => changed.is_ok(),
            () = tokio::time::sleep_until(self.deadline) => false,
        };
        self.is_last = !has_changed;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_waits_sees_each_change() {
        let (publisher, feed) = feed(0, Timestamp::UNIX_EPOCH);
        let start = feed.version();
        let reading = async {
            let mut seen = vec![];
            let mut version = start;
            while let Some(next) = feed.wait_past(version, soon()).await {
                version = next;
                seen.push(*feed.view());
            }
            (seen, version)
        };
        let publishing = async move {
            for value in 1..4 {
                publisher.publish(value);
                // The reader has its turn, whichever of the two is polled first.
                for _ in 0..2 {
                    tokio::task::yield_now().await;
                }
            }
        };
        let (seen, ()) = tokio::join!(reading, publishing);
        assert_eq!(seen, (vec![1, 2, 3], start + 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_sees_the_newest_and_does_not_wait_for_it() {
        let (publisher, feed) = feed('a', Timestamp::UNIX_EPOCH);
        let version = feed.version();
        publisher.publish('b');
        publisher.bump();
        let next = feed.wait_past(version, soon()).await.unwrap();
        assert_eq!((next, *feed.view()), (version + 2, 'b'));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_new_by_the_deadline_or_ever_is_none() {
        let (publisher, feed) = feed((), Timestamp::UNIX_EPOCH);
        let version = feed.version();
        let (before, deadline) = (Instant::now(), soon());
        assert_eq!(feed.wait_past(version, deadline).await, None);
        assert_eq!(before.elapsed(), Duration::from_secs(1));
        drop(publisher);
        assert_eq!(feed.wait_past(version, soon()).await, None);
        assert_eq!(before.elapsed(), Duration::from_secs(1));
    }

    /// Looks until it sees the value 3, or a second has passed.
    async fn three(feed: &Feed<u8>, lifecycle: &Lifecycle) -> u8 {
        let mut looks = feed.looks(soon(), lifecycle);
        loop {
            let seen = *feed.view();
            if seen == 3 || !looks.again().await {
                return seen;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn looks_end_with_the_time_the_last_change_and_the_server() {
        let (publisher, feed) = feed(0, Timestamp::UNIX_EPOCH);
        let lifecycle = Lifecycle::default();
        let began = Instant::now();
        let publishing = async {
            for value in 1..=4 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                publisher.publish(value);
            }
        };
        let (seen, ()) = tokio::join!(three(&feed, &lifecycle), publishing);
        assert_eq!((seen, began.elapsed().as_millis()), (3, 400));
        let seen = three(&feed, &lifecycle).await;
        assert_eq!((seen, began.elapsed().as_millis()), (4, 1_400), "time");
        publisher.publish(5);
        drop(publisher);
        assert_eq!(three(&feed, &lifecycle).await, 5, "the last change");
        let (_publisher, feed) = super::feed(6, Timestamp::UNIX_EPOCH);
        lifecycle.begin_drain();
        assert_eq!(three(&feed, &lifecycle).await, 6, "the server");
        assert_eq!(began.elapsed().as_millis(), 1_400);
    }

    #[test]
    fn a_version_from_before_a_restart_is_older() {
        let before: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (publisher, old) = feed((), before);
        publisher.bump();
        let (_, new) = feed((), before + Duration::from_millis(1));
        assert!(new.version() > old.version());
    }
}
