//! The pods of one driver.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use livius_domain::{Departure, Exit, Verdict, chain};
use livius_kubernetes::{DriverPod, Follower, Namespace, Outage};
use tokio::time::{sleep, timeout};

use super::executors::ExecutorsOfDriver;
use super::log::{LAST_LIMIT, PodLog};
use super::objects::PodObjects;
use super::{OnKubernetes, SparkPages, ending, sighting};
use crate::Sighting;
use crate::driver_dir::DriverDir;
use crate::remote::{
    Executors, Last, Mode, Over, Remote, Unanswered, Watched, kill_all, last_seen,
};

/// The lists without a pod that prove that there is none, after a submitter that failed or was
/// killed. Its last request may still be on its way. A submitter that ended well has made the pod.
const MISSES: u32 = 3;

/// How long the end of a driver waits for the deletion of its pods and its Secret. The next start of
/// the server finds what is left.
const TIDYING: Duration = Duration::from_secs(30);
/// The grace of what is left of a driver that has ended.
const REST_GRACE: Duration = Duration::from_secs(5);

/// The pause between two looks at the events of a pod that waits. Its own state does not change
/// when an event comes.
const EVENTS_PAUSE: Duration = Duration::from_secs(5);

/// The pods of a driver.
pub(crate) struct DriverPods {
    place: OnKubernetes,
    namespace: Namespace,
    dir: DriverDir,
    log: Arc<PodLog>,
    pages: SparkPages,
    objects: PodObjects,
    executors: ExecutorsOfDriver,
    /// Whether the pod owns the Secret.
    is_given: AtomicBool,
    /// The pod as it was seen last. A caller that gives up its wait for the end does not take it along.
    last: Mutex<Option<DriverPod>>,
}

impl DriverPods {
    pub(crate) fn new(
        place: OnKubernetes,
        namespace: Namespace,
        dir: DriverDir,
        log: Arc<PodLog>,
        pages: SparkPages,
        executors: ExecutorsOfDriver,
    ) -> Self {
        let template = pages.objects.clone();
        let objects = PodObjects::new(template, namespace.clone(), Arc::clone(&log));
        Self {
            executors,
            place,
            namespace,
            dir,
            log,
            pages,
            objects,
            is_given: AtomicBool::new(false),
            last: Mutex::default(),
        }
    }

    /// The pod as it was seen last, after this news of it.
    fn last(&self, news: Option<DriverPod>) -> Option<DriverPod> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if news.is_some() {
            *last = news;
        }
        last.clone()
    }

    /// Has Kubernetes remove the Secret with the pod, even if this server never comes back.
    async fn give_secret(&self, pod: &DriverPod) {
        if self.is_given.load(Ordering::Relaxed) {
            return;
        }
        match self.namespace.give_secret(&self.place.driver, pod).await {
            Ok(()) => self.is_given.store(true, Ordering::Relaxed),
            Err(error) => {
                tracing::debug!(
                    driver = self.place.driver,
                    error = chain(&error),
                    "cannot give a driver's Secret to its pod now"
                );
            }
        }
    }

    /// How the driver ended, if that was written down. The pods may be deleted since.
    async fn recorded(&self) -> Option<Departure> {
        let dir = self.dir.clone();
        let read = tokio::task::spawn_blocking(move || dir.read_departure()).await;
        let read = read.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        read.inspect_err(|error| {
            tracing::warn!(dir = %self.dir.path(), %error, "cannot read how a driver ended");
        })
        .unwrap_or_default()
    }

    /// Writes down how the driver ended, and removes everything that it has on the cluster.
    async fn clear(&self, departure: &Departure) {
        let (dir, record) = (self.dir.clone(), departure.clone());
        let written = tokio::task::spawn_blocking(move || dir.write_departure(&record)).await;
        let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        if let Err(error) = written {
            tracing::warn!(dir = %self.dir.path(), %error, "cannot write down how a driver ended");
        }
        if timeout(TIDYING, kill_all(self, REST_GRACE)).await.is_err() {
            tracing::warn!(
                driver = self.place.driver,
                namespace = self.place.namespace,
                "could not delete the pods and the Secret of a driver that has ended; the next start of the server does"
            );
        }
    }

    async fn departure(&self, last: Last<DriverPod>, submission: Departure) -> Departure {
        let submitted = submission.exit == Exit::Code(0);
        let last = match last {
            Last::Absent(None) => Last::Absent(self.last(None)),
            last => last,
        };
        let departure = match last {
            Last::Final(pod) => ending::departure(&pod),
            // A submitter that fails takes its pod back.
            Last::Absent(Some(pod)) if !matches!(submission.exit, Exit::Code(1..)) => {
                ending::deleted(&pod)
            }
            Last::Absent(_) if submitted => ending::forgotten(&self.place),
            Last::Absent(_) => return submission,
        };
        self.log.finish(LAST_LIMIT).await;
        match departure.verdict {
            Some(Verdict::Failed(_)) => self.log.told().await.within(departure),
            _ => departure,
        }
    }
}

#[async_trait]
impl Remote for DriverPods {
    fn name(&self) -> &str {
        &self.place.driver
    }

    fn mode(&self) -> Mode {
        self.place.mode
    }

    async fn lives(&self) -> Result<bool, Unanswered> {
        if self.recorded().await.is_some() {
            return Ok(false);
        }
        let found = self.namespace.find(&self.place.driver).await?;
        Ok(found.iter().any(|pod| !ending::is_final(pod)))
    }

    async fn ended(&self, submission: Departure) -> Departure {
        let known = self.recorded().await;
        let departure = if let Some(departure) = known {
            departure
        } else {
            let misses = match submission.exit {
                Exit::Code(0) => 1,
                _ => MISSES,
            };
            let submitted = submission.exit == Exit::Code(0);
            let watched = Told {
                follower: self.namespace.follow(&self.place.driver),
                pods: self,
            };
            let (tells, over) = Over::new();
            let departure = async {
                let last = tokio::select! {
                    biased;
                    last = last_seen(watched, submitted, misses) => last,
                    never = self.log.keep_following() => match never {},
                    never = self.objects.keep_making() => match never {},
                };
                tells.send_replace(true);
                self.departure(last, submission).await
            };
            tokio::join!(departure, self.executors.keep(over)).0
        };
        self.clear(&departure).await;
        departure
    }

    async fn sighted(&self, known: Option<&Sighting>) -> Sighting {
        if self.place.mode == Mode::Client {
            // The driver is a process, which reports itself.
            return std::future::pending().await;
        }
        let mut follower = self.namespace.follow(&self.place.driver);
        loop {
            let seen = follower.changed().await;
            let Some(pod) = seen.pod else { continue };
            let is_waiting = sighting::is_waiting(&pod);
            // A node complains for a moment of what Spark makes after the pod.
            let mut may_be_passing = is_waiting && pod.node.is_some();
            let is_told = known.is_some_and(|known| known.waits.is_some());
            loop {
                let mut notices = Vec::new();
                if is_waiting && pod.node.is_some() && !may_be_passing {
                    notices = self.namespace.events(&pod).await.unwrap_or_default();
                }
                let sighting = sighting::of(&pod, self.pages.address.as_deref(), &notices);
                if Some(&sighting) != known && !(may_be_passing && is_told) {
                    return sighting;
                }
                if !is_waiting || follower.seen().pod.as_ref() != Some(&pod) {
                    break;
                }
                sleep(EVENTS_PAUSE).await;
                may_be_passing = false;
            }
        }
    }

    fn executors(&self) -> &dyn Executors {
        &self.executors
    }

    async fn before_kill(&self) {
        // In cluster mode the logs are followed while the pods end.
        if self.place.mode == Mode::Client {
            self.executors.finished().await;
        }
    }

    async fn kill_each(&self, grace: Duration) -> Result<usize, Unanswered> {
        Ok(self.namespace.delete(&self.place.driver, grace).await?)
    }
}

/// A view of the driver's pod that tells the log where to read.
struct Told<'a> {
    follower: Follower,
    pods: &'a DriverPods,
}

#[async_trait]
impl Watched for Told<'_> {
    type Application = DriverPod;
    type Outage = Outage;

    async fn look(&mut self) -> Result<Option<DriverPod>, Outage> {
        let seen = match self.follower.seen() {
            // The watch tells of each change. Only an absence needs a list.
            seen if seen.pod.is_some() && seen.outage.is_none() => seen,
            _ => self.follower.refreshed().await?,
        };
        let is_there = seen.pod.is_some();
        let Some(pod) = self.pods.last(seen.last) else {
            return Ok(None);
        };
        self.pods.log.tell(&pod);
        if is_there {
            self.pods.objects.tell(&pod);
            self.pods.give_secret(&pod).await;
        }
        // The news of a deletion have the last state.
        Ok(Some(pod).filter(|pod| is_there || ending::is_final(pod)))
    }

    async fn changed(&mut self) {
        self.follower.changed().await;
    }

    fn is_final(pod: &DriverPod) -> bool {
        ending::is_final(pod)
    }
}
