//! Followers of drivers, and the register of what they follow.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use livius_domain::chain;
use tokio::sync::{Notify, watch};

use crate::error::KubernetesError;
use crate::pod::DriverPod;

/// The most pods of one driver that are told: a driver can have many executors.
const MOST_PODS: usize = 1_000;

/// The pods of one driver, by uid.
type Pods = BTreeMap<String, Arc<DriverPod>>;

/// The knowledge about the pod of one driver, or about those of its executors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The pod, while it exists. If there are several, the newest one.
    pub pod: Option<DriverPod>,
    /// All pods that exist, the oldest first. At most 1000.
    pub all: Vec<Arc<DriverPod>>,
    /// The newest pod that was ever seen, as it was seen last. It stays when the pod is deleted.
    pub last: Option<DriverPod>,
    /// The number of complete lists that this knowledge rests on. While it is 0, nothing is known.
    pub looks: u64,
    /// The outage, while the API server cannot be asked. The rest is as of the last news.
    pub outage: Option<Outage>,
    /// The number of the last round, complete or not.
    round: u64,
}

/// A time without news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The time of the first failed request.
    pub since: Timestamp,
    /// The last failure.
    pub error: String,
}

impl Seen {
    /// Tells whether the driver has no pod, as of the last news. A pod that was created a moment ago
    /// may not be in them. [`Follower::refreshed`] has all that happened before.
    pub fn is_absent(&self) -> bool {
        self.looks > 0 && self.pod.is_none()
    }

    fn differs(&self, told: &Self) -> bool {
        let parts = |seen: &Self| (seen.looks > 0, seen.outage.is_some());
        parts(self) != parts(told)
            || self.pod != told.pod
            || self.all != told.all
            || self.last != told.last
    }

    /// Takes the pods that exist now. An older one than the last does not replace that.
    fn take(&mut self, pods: Option<&Pods>) {
        self.all = pods.map_or_else(Vec::new, |pods| pods.values().cloned().collect());
        self.all.sort_by(|one, other| one.age().cmp(&other.age()));
        // A repeated submission can have made several.
        let newest = self.all.last().map(|pod| &**pod);
        let known = self.last.as_ref().map(DriverPod::age);
        self.pod = newest.filter(|pod| Some(pod.age()) >= known).cloned();
        if self.pod.is_some() {
            self.last.clone_from(&self.pod);
        }
    }
}

/// Follows the pod of one driver. Dropping it ends that.
#[derive(Debug)]
pub struct Follower {
    driver: String,
    seen: watch::Receiver<Seen>,
    /// What [`Self::changed`] told last.
    told: Seen,
    registry: Arc<Registry>,
}

impl Follower {
    /// The id of the driver.
    pub fn driver(&self) -> &str {
        &self.driver
    }

    /// The present knowledge about the pod.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits for a change after the one that was told last: of the pod, of an outage, or the first
    /// list. Cancel safe.
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
        let begun = self.registry.ask();
        let seen = self.until(|seen| seen.round > begun).await;
        match seen.outage {
            Some(outage) => Err(outage),
            None => Ok(seen),
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.registry.leave(&self.driver);
    }
}

/// The drivers that are followed, and the pods of all drivers while one is.
#[derive(Debug)]
pub struct Registry {
    table: Mutex<Table>,
    /// The rounds that have begun.
    begun: AtomicU64,
    /// The last round that is not enough for a follower.
    outdated: AtomicU64,
    /// Wakes the watch: for the first follower, for one that cannot wait, after the last one, and at
    /// the end.
    wake: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Table {
    followed: HashMap<String, Entry>,
    /// The pods by driver.
    pods: HashMap<String, Pods>,
    /// Whether the pods are complete: a list was read, and the watch goes on from there.
    is_complete: bool,
    outage: Option<Outage>,
    /// The number of the last round, complete or not.
    round: u64,
}

#[derive(Debug)]
struct Entry {
    seen: watch::Sender<Seen>,
    followers: usize,
}

impl Registry {
    pub fn new(wake: Arc<Notify>) -> Self {
        Self {
            table: Mutex::default(),
            begun: AtomicU64::default(),
            outdated: AtomicU64::default(),
            wake,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn follow(self: &Arc<Self>, driver: &str) -> Follower {
        let mut table = self.table();
        let first = table.first_look(driver);
        let is_first = table.followed.is_empty();
        let entry = table.followed.entry(driver.to_owned());
        let entry = entry.or_insert_with(|| Entry {
            seen: watch::Sender::new(first),
            followers: 0,
        });
        entry.followers += 1;
        if is_first {
            self.wake.notify_one();
        }
        Follower {
            driver: driver.to_owned(),
            seen: entry.seen.subscribe(),
            told: Seen::default(),
            registry: Arc::clone(self),
        }
    }

    fn leave(&self, driver: &str) {
        let mut table = self.table();
        if let Some(entry) = table.followed.get_mut(driver) {
            entry.followers -= 1;
            if entry.followers == 0 {
                table.followed.remove(driver);
            }
        }
        if table.followed.is_empty() {
            self.wake.notify_one();
        }
    }

    /// Asks for a list that begins after now. Answers with the number of the last round before it.
    fn ask(&self) -> u64 {
        let begun = self.begun.load(Ordering::SeqCst);
        self.outdated.fetch_max(begun, Ordering::SeqCst);
        self.wake.notify_one();
        begun
    }

    /// Tells whether a follower waits for a list after this round.
    pub fn is_outdated(&self, round: u64) -> bool {
        self.outdated.load(Ordering::SeqCst) >= round
    }

    /// Tells whether nothing is followed.
    pub fn is_idle(&self) -> bool {
        self.table().followed.is_empty()
    }

    /// Forgets all pods, because no watch tells about them from now on. Does nothing, and says so, if
    /// something is followed.
    pub fn rest(&self) -> bool {
        let mut table = self.table();
        let is_idle = table.followed.is_empty();
        if is_idle {
            let round = table.round;
            *table = Table {
                round,
                ..Table::default()
            };
        }
        is_idle
    }

    /// Begins a round. Its number is greater than that of each round that began before.
    pub fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Takes the complete list of a round.
    pub fn listed(&self, round: u64, pods: Vec<DriverPod>) {
        let mut table = self.table();
        table.pods.clear();
        for pod in pods {
            table.insert(pod);
        }
        table.is_complete = true;
        table.outage = None;
        table.round = round;
        let Table { followed, pods, .. } = &*table;
        for (driver, entry) in followed {
            entry.seen.send_modify(|seen| {
                seen.looks += 1;
                seen.outage = None;
                seen.round = round;
                seen.take(pods.get(driver));
            });
        }
    }

    /// Takes a pod that came or changed.
    pub fn applied(&self, pod: DriverPod) {
        let mut table = self.table();
        let driver = pod.driver.clone();
        table.insert(pod);
        table.tell(&driver);
    }

    /// Takes a pod that was deleted, in its last state.
    pub fn deleted(&self, pod: DriverPod) {
        let mut table = self.table();
        let driver = pod.driver.clone();
        let uid = pod.uid.clone();
        // The last state can have the exit code that no earlier event had.
        table.insert(pod);
        table.tell(&driver);
        table.remove(&driver, &uid);
        table.tell(&driver);
    }

    /// Takes the failure of a round. What was seen stays.
    pub fn missed(&self, round: u64, error: &KubernetesError, now: Timestamp) {
        let mut table = self.table();
        let since = table.outage.as_ref().map_or(now, |outage| outage.since);
        let error = chain(error);
        let outage = Some(Outage { since, error });
        table.outage.clone_from(&outage);
        table.is_complete = false;
        table.round = round;
        for entry in table.followed.values() {
            entry.seen.send_modify(|seen| {
                seen.outage.clone_from(&outage);
                seen.round = round;
            });
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

impl Table {
    /// The knowledge that a new follower begins with.
    fn first_look(&self, driver: &str) -> Seen {
        let mut seen = Seen {
            looks: u64::from(self.is_complete),
            outage: self.outage.clone(),
            round: self.round,
            ..Seen::default()
        };
        seen.take(self.pods.get(driver));
        seen
    }

    fn insert(&mut self, pod: DriverPod) {
        let of_driver = self.pods.entry(pod.driver.clone()).or_default();
        if of_driver.len() < MOST_PODS || of_driver.contains_key(&pod.uid) {
            of_driver.insert(pod.uid.clone(), Arc::new(pod));
        }
    }

    fn remove(&mut self, driver: &str, uid: &str) {
        if let Some(of_driver) = self.pods.get_mut(driver) {
            of_driver.remove(uid);
            if of_driver.is_empty() {
                self.pods.remove(driver);
            }
        }
    }

    fn tell(&self, driver: &str) {
        if let Some(entry) = self.followed.get(driver) {
            let pods = self.pods.get(driver);
            entry.seen.send_modify(|seen| seen.take(pods));
        }
    }
}
