//! Followers of applications, and the register of what they follow.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use livius_domain::chain;
use tokio::sync::{Notify, watch};

use crate::application::Application;
use crate::error::YarnError;

/// The knowledge about the applications with one tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The newest application with the tag. It stays when the cluster forgets it.
    pub application: Option<Application>,
    /// Whether the last list had this application. A ResourceManager forgets applications when it
    /// restarts without recovery, and the oldest ended ones when it has too many.
    pub is_listed: bool,
    /// The number of complete lists since the tag is followed. While it is 0, nothing is known.
    pub looks: u64,
    /// The outage, while no list can be had. The rest is as of the last list.
    pub outage: Option<Outage>,
    /// The number of the last round, complete or not.
    round: u64,
}

/// A time without lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The time of the first failed request.
    pub since: Timestamp,
    /// The last failure.
    pub error: String,
}

impl Seen {
    /// Tells whether the cluster certainly has no application with the tag, as of the last list.
    pub fn is_absent(&self) -> bool {
        self.looks > 0 && !self.is_listed
    }

    fn differs(&self, told: &Self) -> bool {
        let parts = |seen: &Self| (seen.is_listed, seen.looks > 0, seen.outage.is_some());
        parts(self) != parts(told) || self.application != told.application
    }
}

/// Follows the applications with one tag. Dropping it ends that.
#[derive(Debug)]
pub struct Follower {
    tag: String,
    seen: watch::Receiver<Seen>,
    /// What [`Self::changed`] told last.
    told: Seen,
    registry: Arc<Registry>,
}

impl Follower {
    /// The tag, in lower case.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The present knowledge about the application.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits for a change after the one that was told last: of the application, of its presence, of
    /// an outage, or the first look. Cancel safe.
    pub async fn changed(&mut self) -> Seen {
        let told = self.told.clone();
        self.told = self.until(|seen| seen.differs(&told)).await;
        self.told.clone()
    }

    /// Waits until a condition holds. Cancel safe.
    pub async fn until(&mut self, mut wanted: impl FnMut(&Seen) -> bool) -> Seen {
        let seen = self.seen.wait_for(|seen| wanted(seen)).await;
        // The guard of the value is not `Send`, and must not live during the wait below.
        match seen.map(|seen| seen.clone()) {
            Ok(seen) => seen,
            // The register has the other end, and this follower has the register.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits for a list that was requested after this call, so that it has everything that happened
    /// before. An error means that the list cannot be had now.
    pub async fn refreshed(&mut self) -> Result<Seen, Outage> {
        let begun = self.registry.begun.load(Ordering::SeqCst);
        self.registry.wake.notify_one();
        let seen = self.until(|seen| seen.round > begun).await;
        match seen.outage {
            Some(outage) => Err(outage),
            None => Ok(seen),
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.registry.leave(&self.tag);
    }
}

/// The tags that are followed.
#[derive(Debug)]
pub struct Registry {
    tags: Mutex<HashMap<String, Entry>>,
    /// The rounds that have begun.
    begun: AtomicU64,
    /// Wakes the watcher: for a new tag, for a follower that cannot wait, and at the end.
    wake: Arc<Notify>,
}

#[derive(Debug)]
struct Entry {
    seen: watch::Sender<Seen>,
    followers: usize,
}

/// A round of list requests.
pub struct Round {
    number: u64,
    pub tags: Vec<String>,
}

impl Registry {
    pub fn new(wake: Arc<Notify>) -> Self {
        Self {
            tags: Mutex::default(),
            begun: AtomicU64::default(),
            wake,
        }
    }

    fn tags(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn follow(self: &Arc<Self>, tag: &str) -> Follower {
        // The cluster stores tags in lower case.
        let tag = tag.to_ascii_lowercase();
        let mut tags = self.tags();
        let entry = tags.entry(tag.clone()).or_insert_with(|| {
            self.wake.notify_one();
            Entry {
                seen: watch::Sender::default(),
                followers: 0,
            }
        });
        entry.followers += 1;
        Follower {
            tag,
            seen: entry.seen.subscribe(),
            told: Seen::default(),
            registry: Arc::clone(self),
        }
    }

    fn leave(&self, tag: &str) {
        let mut tags = self.tags();
        if let Some(entry) = tags.get_mut(tag) {
            entry.followers -= 1;
            if entry.followers == 0 {
                tags.remove(tag);
            }
        }
    }

    /// Begins a round. Its number is greater than that of each round that began before.
    pub fn begin(&self) -> Round {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let tags = self.tags().keys().cloned().collect();
        Round { number, tags }
    }

    /// Tells the followers of some tags about a list, or about its failure at a time.
    pub fn publish(
        &self,
        round: &Round,
        about: &[String],
        list: &Result<Vec<Application>, YarnError>,
        now: Timestamp,
    ) {
        let tags = self.tags();
        for (tag, entry) in about.iter().filter_map(|tag| Some((tag, tags.get(tag)?))) {
            entry.seen.send_modify(|seen| {
                seen.round = round.number;
                match list {
                    Ok(list) => seen.take(newest(list, tag)),
                    Err(error) => seen.miss(error, now),
                }
            });
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

impl Seen {
    fn take(&mut self, listed: Option<&Application>) {
        self.looks += 1;
        self.outage = None;
        let known = self.application.as_ref().map(|known| known.id);
        // An older one does not replace the newest one that was seen.
        self.is_listed = listed.is_some_and(|one| Some(one.id) >= known);
        if self.is_listed {
            self.application = listed.cloned();
        }
    }

    fn miss(&mut self, error: &YarnError, now: Timestamp) {
        let since = self.outage.as_ref().map_or(now, |outage| outage.since);
        let error = chain(error);
        self.outage = Some(Outage { since, error });
    }
}

/// A cluster that lost the answer to a submission can have several applications with one tag.
fn newest<'a>(list: &'a [Application], tag: &str) -> Option<&'a Application> {
    let tagged = list.iter().filter(|one| one.tags.contains(tag));
    tagged.max_by_key(|one| one.id)
}
