//! The executors of a driver whose application is on YARN.
//!
//! The ResourceManager lists the containers that run now, and a NodeManager forgets one seconds after
//! its end. So the list is asked for now and then, and some logs are copied along.
//! `docs/adr/0029-the-logs-of-executors-are-kept-in-part.md` has the reasons.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use futures_util::{StreamExt as _, stream};
use livius_domain::chain;
use livius_yarn::{Application, ApplicationId, Cluster, Container};
use tokio::time::{Instant, sleep, timeout};

use super::{Mirror, Mirrors};
use crate::driver_dir::DriverDir;
use crate::executors::{
    Entry, ExecutorLogLimits, ExecutorState, Known, Register, Roster, Shelf, Wish,
};

/// The pauses between two looks at the containers of an application: the first one, which doubles, and
/// the longest one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How soon after a look clients may have another one.
const FRESH: Duration = Duration::from_secs(1);
/// The same after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// The longest wait of a client that lists executors.
const READER_LIMIT: Duration = Duration::from_secs(2);
/// The longest time for the copy of one executor's log.
const COPY_LIMIT: Duration = Duration::from_secs(10);
/// The logs of one driver's executors that are copied at once.
const AT_ONCE: usize = 4;
/// The copies of executors' logs that stay open for the next page.
const OPEN: usize = 16;

/// The executors of all drivers on YARN.
pub(crate) struct YarnExecutors {
    known: Mutex<HashMap<Utf8PathBuf, Weak<ExecutorsOfDriver>>>,
    shelf: Shelf,
    mirrors: Mirrors,
    /// The copies that were read last.
    open: Mutex<VecDeque<Arc<Mirror>>>,
}

impl YarnExecutors {
    pub(crate) fn new(limits: ExecutorLogLimits) -> Self {
        Self {
            known: Mutex::default(),
            shelf: Shelf::new(limits),
            mirrors: Mirrors::new(limits.bytes),
            open: Mutex::default(),
        }
    }

    /// The executors of a driver, by its directory and its application's tag.
    pub(crate) fn of(
        self: &Arc<Self>,
        dir: &DriverDir,
        cluster: &Cluster,
        tag: &str,
    ) -> Arc<ExecutorsOfDriver> {
        let mut known = self.known();
        known.retain(|_, one| one.strong_count() > 0);
        if let Some(one) = known.get(dir.path()).and_then(Weak::upgrade) {
            return one;
        }
        let one = Arc::new(ExecutorsOfDriver {
            all: Arc::clone(self),
            register: Register::new(dir.clone()),
            cluster: cluster.clone(),
            tag: tag.to_owned(),
            master: Arc::default(),
            next: tokio::sync::Mutex::new(None),
        });
        known.insert(dir.path().to_owned(), Arc::downgrade(&one));
        one
    }

    /// Looks for the executors of a driver that this server follows, as far as that is quick.
    pub(crate) async fn refresh(&self, dir: &Utf8Path) {
        let one = self.known().get(dir).and_then(Weak::upgrade);
        if let Some(one) = one {
            // The list has what was seen in time.
            let _ = timeout(READER_LIMIT, one.look()).await;
        }
    }

    /// Whether logs are kept at all.
    pub(crate) fn keeps_logs(&self) -> bool {
        self.shelf.limits().most > 0
    }

    /// The copy of an executor's log, for a reader. Blocks. `None` if there is no room for it.
    pub(crate) fn log(
        &self,
        dir: &DriverDir,
        cluster: &Cluster,
        roster: &Roster,
        known: &Known,
    ) -> io::Result<Option<Arc<Mirror>>> {
        let log = self.claim(dir, cluster, roster, known, Wish::Read)?;
        if let Some(log) = &log {
            let mut open = self.open();
            open.retain(|one| !Arc::ptr_eq(one, log));
            open.truncate(OPEN - 1);
            open.push_front(Arc::clone(log));
        }
        Ok(log)
    }

    fn claim(
        &self,
        dir: &DriverDir,
        cluster: &Cluster,
        roster: &Roster,
        known: &Known,
        wish: Wish,
    ) -> io::Result<Option<Arc<Mirror>>> {
        let leave = |path: &Utf8Path| {
            self.mirrors.give_up(&path.join("stdout.log"));
            true
        };
        let claimed = self
            .shelf
            .claim(&dir.executors(), roster, &known.name, wish, leave)?;
        if !claimed {
            return Ok(None);
        }
        let mirror = self.mirrors.of(dir.executor(&known.name), cluster);
        mirror.stay_with(Container {
            id: known.name.clone(),
            node: known.node.clone(),
        });
        Ok(Some(mirror))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Utf8PathBuf, Weak<ExecutorsOfDriver>>> {
        locked(&self.known)
    }

    fn open(&self) -> MutexGuard<'_, VecDeque<Arc<Mirror>>> {
        locked(&self.open)
    }
}

/// The executors of one driver.
pub(crate) struct ExecutorsOfDriver {
    all: Arc<YarnExecutors>,
    register: Register,
    cluster: Cluster,
    tag: String,
    /// The master of the application's last attempt. `None` after the driver's end, too.
    master: Arc<Mutex<Option<Master>>>,
    /// The time of the next look at the earliest. The task that holds the lock looks.
    next: tokio::sync::Mutex<Option<Instant>>,
}

/// The container of an application's master, which is no executor.
#[derive(Debug, Clone)]
struct Master {
    application: ApplicationId,
    attempt: u32,
    container: String,
}

impl Master {
    fn of(application: &Application) -> Option<Self> {
        let container = application.am_container()?;
        Some(Self {
            application: application.id,
            attempt: container.attempt()?,
            container: container.id,
        })
    }
}

impl ExecutorsOfDriver {
    /// Looks for new executors and copies some of their logs, without end.
    pub(super) async fn keep_watching(&self) -> Infallible {
        let mut follower = self.cluster.follow(&self.tag);
        let mut pause = FIRST_PAUSE;
        loop {
            let told = follower.seen().application;
            if let Some(master) = told.as_ref().and_then(Master::of) {
                *self.master() = Some(master);
                self.look().await;
                self.copy().await;
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            } else {
                follower.changed().await;
            }
        }
    }

    /// Copies the rest of the logs that are kept, after the end of the application. Nothing waits for
    /// that: aggregated logs are there some seconds later.
    pub(super) async fn finish(&self) {
        // A look that is under way would bring back executors that have ended.
        *self.master() = None;
        let (all, cluster) = (Arc::clone(&self.all), self.cluster.clone());
        let logs = self.register.work(move |entry| {
            entry.update(Vec::new())?;
            claim_all(&all, &cluster, entry)
        });
        let logs = logs.await.unwrap_or_default();
        stream::iter(logs)
            .for_each_concurrent(None, async |log| log.finish().await)
            .await;
    }

    /// Looks for the containers of the last attempt, unless that was done a moment ago.
    async fn look(&self) {
        let Some(master) = self.master().clone() else {
            return;
        };
        let mut next = self.next.lock().await;
        if next.is_some_and(|next| Instant::now() < next) {
            return;
        }
        // It counts as failed if it is given up.
        *next = Some(Instant::now() + AFTER_FAILURE);
        let containers = self.cluster.containers(master.application, master.attempt);
        match containers.await {
            Ok(mut containers) => {
                containers.retain(|one| one.id != master.container);
                containers.sort_by(|one, other| one.id.cmp(&other.id));
                let now = containers.into_iter().map(known).collect();
                let current = Arc::clone(&self.master);
                let taken = self.register.work(move |entry| {
                    let is_over = locked(&current).is_none();
                    if is_over { Ok(()) } else { entry.update(now) }
                });
                taken.await;
                *next = Some(Instant::now() + FRESH);
            }
            Err(error) => {
                tracing::debug!(
                    tag = self.tag,
                    error = chain(&error),
                    "cannot list the executors of a driver now"
                );
            }
        }
    }

    /// Copies what is new in the logs that are kept.
    async fn copy(&self) {
        let (all, cluster) = (Arc::clone(&self.all), self.cluster.clone());
        let claimed = move |entry: &mut Entry<'_>| claim_all(&all, &cluster, entry);
        let logs = self.register.work(claimed).await.unwrap_or_default();
        stream::iter(logs)
            .for_each_concurrent(AT_ONCE, async |log| log.refresh(COPY_LIMIT).await)
            .await;
    }

    fn master(&self) -> MutexGuard<'_, Option<Master>> {
        locked(&self.master)
    }
}

/// The copies of the logs that are kept: first of those that run.
fn claim_all(
    all: &YarnExecutors,
    cluster: &Cluster,
    entry: &Entry<'_>,
) -> io::Result<Vec<Arc<Mirror>>> {
    let has_ended = |known: &&Known| known.state == ExecutorState::Ended;
    let (ended, running): (Vec<_>, Vec<_>) = entry.roster.all().iter().partition(has_ended);
    // The last that ended is wanted most.
    let wanted = running.into_iter().chain(ended.into_iter().rev());
    let mut logs = Vec::new();
    for known in wanted.take(all.shelf.limits().most) {
        logs.extend(all.claim(entry.dir, cluster, entry.roster, known, Wish::Keep)?);
    }
    Ok(logs)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn known(container: Container) -> Known {
    Known {
        name: container.id,
        node: container.node,
        state: ExecutorState::Running,
    }
}
