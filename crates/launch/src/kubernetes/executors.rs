//! The executors of a driver with pods, and their logs.
//!
//! Spark deletes the pod of an executor when it ends, and the pod takes its log along. So the logs are
//! followed. `docs/adr/0029-the-logs-of-executors-are-kept-in-part.md` has the reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use camino::Utf8Path;
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt as _, stream};
use livius_kubernetes::{ContainerState, DriverPod, Follower, Namespace, Seen};
use tokio::sync::watch;
use tokio::time::timeout;

use super::ending;
use super::log::{PodLog, PodLogs};
use crate::driver_dir::DriverDir;
use crate::executors::{
    self, Entry, ExecutorLogLimits, ExecutorState, Known, Register, Shelf, Wish,
};
use crate::remote::{Executors, Over};

/// How long the end of a driver waits for the rest of its executors' logs. Most of them have ended
/// before it.
const FINISHING: Duration = Duration::from_secs(5);

/// The logs of the executors of all drivers.
pub(crate) struct PodExecutors {
    shelf: Shelf,
    logs: PodLogs,
}

impl PodExecutors {
    pub(crate) fn new(limits: ExecutorLogLimits) -> Self {
        Self {
            shelf: Shelf::new(limits),
            logs: PodLogs::new(limits.bytes),
        }
    }
}

/// The executors of one driver.
pub(crate) struct ExecutorsOfDriver {
    all: Arc<PodExecutors>,
    namespace: Namespace,
    driver: String,
    register: Register,
    /// The logs that are not complete, by the names of their pods.
    followed: Mutex<BTreeMap<String, Arc<PodLog>>>,
    /// Whether the driver has ended, and nothing more is read.
    is_finished: watch::Sender<bool>,
}

impl ExecutorsOfDriver {
    pub(crate) fn new(
        all: Arc<PodExecutors>,
        namespace: &Namespace,
        driver: &str,
        dir: DriverDir,
    ) -> Self {
        Self {
            all,
            namespace: namespace.clone(),
            driver: driver.to_owned(),
            register: Register::new(dir),
            followed: Mutex::default(),
            is_finished: watch::Sender::new(false),
        }
    }

    /// Takes the pods that there are. Answers with the logs that are to be followed from now on.
    async fn take(&self, seen: &Seen, done: &BTreeSet<String>) -> Vec<(String, Arc<PodLog>)> {
        if seen.looks == 0 {
            return Vec::new();
        }
        let now: Vec<Known> = seen.all.iter().map(|pod| known(pod)).collect();
        let is_new = |known: &&Known| {
            let has_begun = known.state != ExecutorState::Waiting;
            has_begun && !done.contains(&known.name) && !self.followed().contains_key(&known.name)
        };
        let new: Vec<Known> = now.iter().filter(is_new).cloned().collect();
        let followed: BTreeSet<String> = self.followed().keys().cloned().collect();
        let all = Arc::clone(&self.all);
        let claimed = self.register.work(move |entry| {
            entry.update(now)?;
            claim(&all.shelf, entry, new, &followed)
        });
        let names = claimed.await.unwrap_or_default();
        let mut begun = Vec::new();
        for name in names {
            let log = self.log(&name);
            self.followed().insert(name.clone(), Arc::clone(&log));
            begun.push((name, log));
        }
        for (name, log) in &*self.followed() {
            match seen.all.iter().find(|pod| pod.name == *name) {
                Some(pod) => log.tell(pod),
                None => log.tell_gone(),
            }
        }
        begun
    }

    /// Ends the logs of pods that were deleted while no server followed them.
    async fn lose_others(&self, seen: &Seen) {
        let kept = |entry: &mut Entry<'_>| executors::kept(&entry.dir.executors());
        let mut lost = self.register.work(kept).await.unwrap_or_default();
        lost.retain(|name| {
            let exists = seen.all.iter().any(|pod| pod.name == *name);
            !exists && !self.followed().contains_key(name)
        });
        for name in lost {
            self.log(&name).lose(&name).await;
        }
    }

    /// Reads what there is of the logs that have not ended.
    async fn finish(&self, follower: &mut Follower) {
        // A server that was restarted may not have looked yet.
        let listed = follower.until(|seen| seen.looks > 0 && seen.outage.is_none());
        if let Ok(seen) = timeout(FINISHING, listed).await {
            self.take(&seen, &BTreeSet::new()).await;
            self.lose_others(&seen).await;
        }
        let logs: Vec<_> = std::mem::take(&mut *self.followed())
            .into_values()
            .collect();
        stream::iter(logs)
            .for_each_concurrent(None, async |log| log.finish(FINISHING).await)
            .await;
    }

    /// Waits until nothing more of the logs will be read.
    pub(super) async fn finished(&self) {
        let _ = self.is_finished.subscribe().wait_for(|is| *is).await;
    }

    fn log(&self, name: &str) -> Arc<PodLog> {
        let files = self.register.dir().executor(name);
        self.all.logs.of(files, &self.namespace)
    }

    fn followed(&self) -> MutexGuard<'_, BTreeMap<String, Arc<PodLog>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Executors for ExecutorsOfDriver {
    async fn keep(&self, mut over: Over) {
        // An earlier call that was dropped may have left some.
        self.followed().clear();
        let mut follower = self.namespace.follow_executors(&self.driver);
        let mut following = FuturesUnordered::new();
        let mut is_first = true;
        let mut done = BTreeSet::new();
        loop {
            let seen = follower.seen();
            if is_first && seen.looks > 0 {
                is_first = false;
                self.lose_others(&seen).await;
            }
            for (name, log) in self.take(&seen, &done).await {
                following.push(followed_to_the_end(name, log));
            }
            tokio::select! {
                biased;
                // There is room for another log.
                Some(name) = following.next() => {
                    self.followed().remove(&name);
                    done.insert(name);
                }
                () = over.told() => break,
                _ = follower.changed() => {}
            }
            done.retain(|name| seen.all.iter().any(|pod| pod.name == *name));
        }
        // Executors end when they have lost their driver.
        let rest = async { while following.next().await.is_some() {} };
        let is_whole = timeout(FINISHING, rest).await.is_ok();
        drop(following);
        if !is_whole || is_first {
            self.finish(&mut follower).await;
        }
        self.register.work(|entry| entry.update(Vec::new())).await;
        self.is_finished.send_replace(true);
    }
}

async fn followed_to_the_end(name: String, log: Arc<PodLog>) -> String {
    log.follow_to_the_end().await;
    log.finish(FINISHING).await;
    name
}

/// Makes room for logs, as far as that is possible.
fn claim(
    shelf: &Shelf,
    entry: &Entry<'_>,
    new: Vec<Known>,
    followed: &BTreeSet<String>,
) -> io::Result<Vec<String>> {
    let dir = entry.dir.executors();
    let leave = |path: &Utf8Path| {
        path.file_name()
            .is_some_and(|name| !followed.contains(name))
    };
    let mut claimed = Vec::new();
    for Known { name, .. } in new {
        // A name that the roster refuses is no directory.
        let is_known = entry.roster.find(&name).is_some();
        if is_known && shelf.claim(&dir, entry.roster, &name, Wish::Keep, leave)? {
            claimed.push(name);
        }
    }
    Ok(claimed)
}

fn known(pod: &DriverPod) -> Known {
    let state = ending::container(pod).and_then(|container| container.state.as_ref());
    let state = match state {
        _ if pod.phase.is_final() => ExecutorState::Ended,
        Some(ContainerState::Terminated { .. }) => ExecutorState::Ended,
        Some(ContainerState::Running { .. }) => ExecutorState::Running,
        Some(ContainerState::Waiting { .. }) | None => ExecutorState::Waiting,
    };
    Known {
        name: pod.name.clone(),
        node: pod.node.clone(),
        state,
    }
}
