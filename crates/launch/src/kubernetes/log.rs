//! Follows the log of a container into a log file of ours: that of a driver, or of an executor.
//!
//! A pod takes its log along when it is deleted, so the lines are written as they come. Everything
//! that reads a log reads the files of the driver's directory.
//! `docs/adr/0028-the-log-of-a-pod-is-followed.md` has the reasons.

mod ledger;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use camino::Utf8PathBuf;
use futures_util::{FutureExt as _, StreamExt as _};
use livius_domain::chain;
use livius_kubernetes::{ContainerState, DriverPod, KubernetesError, LogLine, Namespace};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use self::ledger::{Ledger, Resume};
use super::ending;
use crate::evidence::Told;
use crate::log::MirroredFiles;

/// The pause before a log is opened again that has ended or cannot be read.
const PAUSE: Duration = Duration::from_secs(1);
/// The same after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// The longest time for the rest of a log after the driver's end.
pub(super) const LAST_LIMIT: Duration = Duration::from_secs(20);
/// How much text is written at once, in bytes. A single line can be longer.
const BATCH: usize = 256 << 10;

/// The followed log of one pod.
pub(crate) struct PodLog {
    files: MirroredFiles,
    limit: u64,
    namespace: Namespace,
    target: watch::Sender<Option<Target>>,
    /// Only threads that may wait for the disk lock it. `None` before the first use.
    ledger: Arc<Mutex<Option<Ledger>>>,
    /// Its owner writes.
    turn: tokio::sync::Mutex<()>,
    /// Whether the log was read to its end, as of then. A pod that is gone since took nothing along.
    is_whole: AtomicBool,
}

/// The followed logs of all drivers, or of all executors, by their files.
pub(crate) struct PodLogs {
    known: Mutex<HashMap<Utf8PathBuf, Weak<PodLog>>>,
    /// The most bytes of each log file.
    limit: u64,
}

impl PodLogs {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            known: Mutex::default(),
            limit,
        }
    }

    /// The log of a pod. There is one, so that no line is written twice.
    pub(crate) fn of(&self, files: MirroredFiles, namespace: &Namespace) -> Arc<PodLog> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, log| log.strong_count() > 0);
        if let Some(log) = known.get(&files.stdout).and_then(Weak::upgrade) {
            return log;
        }
        let path = files.stdout.clone();
        let log = Arc::new(PodLog {
            files,
            limit: self.limit,
            namespace: namespace.clone(),
            target: watch::Sender::new(None),
            ledger: Arc::default(),
            turn: tokio::sync::Mutex::default(),
            is_whole: AtomicBool::new(false),
        });
        known.insert(path, Arc::downgrade(&log));
        log
    }
}

/// The container whose log is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    pod: DriverPod,
    container: String,
    has_started: bool,
    has_ended: bool,
    /// Whether the pod was deleted.
    is_gone: bool,
}

impl Target {
    fn of(pod: &DriverPod) -> Option<Self> {
        let container = ending::container(pod)?;
        let (has_started, has_ended) = match container.state {
            Some(ContainerState::Running { .. }) => (true, false),
            Some(ContainerState::Terminated { .. }) => (true, true),
            Some(ContainerState::Waiting { .. }) | None => (false, false),
        };
        Some(Self {
            container: container.name.clone(),
            has_started,
            has_ended,
            is_gone: false,
            pod: pod.clone(),
        })
    }

    /// Whether the log would be read in the same way.
    fn is_like(&self, other: &Self) -> bool {
        let parts = |target: &Self| (target.has_started, target.has_ended, target.is_gone);
        self.pod.uid == other.pod.uid && parts(self) == parts(other)
    }
}

#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error(transparent)]
    Kubernetes(#[from] KubernetesError),
    #[error("write the log")]
    Disk(#[from] io::Error),
}

impl PodLog {
    /// Tells the pod. The submitter of a driver has ended: it writes to the same file.
    pub(super) fn tell(&self, pod: &DriverPod) {
        let Some(told) = Target::of(pod) else { return };
        self.target.send_if_modified(|target| {
            let is_news = !target.as_ref().is_some_and(|known| known.is_like(&told));
            *target = Some(told);
            is_news
        });
    }

    /// Tells that the pod is gone.
    pub(super) fn tell_gone(&self) {
        self.target.send_if_modified(|target| match target {
            Some(target) if !target.is_gone => {
                target.is_gone = true;
                true
            }
            _ => false,
        });
    }

    /// Writes the lines as they come, until the container has ended or its pod is gone.
    pub(super) async fn follow_to_the_end(&self) {
        let mut target = self.target.subscribe();
        loop {
            let current = until(&mut target, |target| target.has_started || target.is_gone).await;
            let is_over = current.has_ended || current.is_gone;
            if !current.has_started {
                return;
            }
            let turn = self.turn.lock().await;
            let copied = self.copy(&current, true).await;
            drop(turn);
            match copied {
                Ok(()) => {
                    self.is_whole.store(true, Ordering::SeqCst);
                    if is_over {
                        return;
                    }
                    sleep(PAUSE).await;
                }
                Err(CopyError::Kubernetes(KubernetesError::NotFound { .. })) => return,
                Err(error) => {
                    self.is_whole.store(false, Ordering::SeqCst);
                    tracing::debug!(
                        pod = current.pod.name,
                        error = chain(&error),
                        "cannot follow an executor's log now"
                    );
                    sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    /// Ends the log of a pod that was deleted while no server followed it. A line says that the end of the
    /// log may be missing.
    pub(super) async fn lose(&self, name: &str) {
        let name = name.to_owned();
        let lost = self.with_ledger(move |ledger| {
            if !ledger.is_complete() {
                let problem = "it was deleted while the server was away";
                ledger.note(&missing(&name, ledger.has_some(), problem))?;
            }
            ledger.complete()
        });
        self.report(lost.await);
    }

    /// Writes the lines as they come, without end.
    pub(super) async fn keep_following(&self) -> Infallible {
        let mut target = self.target.subscribe();
        loop {
            let current = until(&mut target, |target| target.has_started).await;
            let turn = self.turn.lock().await;
            let copied = self.copy(&current, true).await;
            drop(turn);
            match copied {
                // The rest is that of another pod.
                Ok(()) if current.has_ended => {
                    until(&mut target, |target| !target.is_like(&current)).await;
                }
                Ok(()) => sleep(PAUSE).await,
                Err(error) => {
                    tracing::debug!(
                        pod = current.pod.name,
                        error = chain(&error),
                        "cannot follow a driver's log now"
                    );
                    sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    /// Writes the rest after the end, within a time. A line says what is missing.
    pub(super) async fn finish(&self, limit: Duration) {
        let Some(target) = self.target.borrow().clone() else {
            return;
        };
        let Ok(_turn) = timeout(limit, self.turn.lock()).await else {
            return;
        };
        let mut problem = None;
        let rest = timeout(limit, self.copy_rest(&target, &mut problem)).await;
        let is_whole = rest.unwrap_or(false);
        let name = target.pod.name.clone();
        let finished = self.with_ledger(move |ledger| {
            if !is_whole && !ledger.is_complete() {
                let problem = problem.unwrap_or_else(|| "the node was too slow".to_owned());
                ledger.note(&missing(&name, ledger.has_some(), &problem))?;
            }
            ledger.complete()
        });
        self.report(finished.await);
    }

    fn report(&self, written: io::Result<()>) {
        if let Err(error) = written {
            tracing::warn!(file = %self.files.record, %error, "cannot write to a driver's log");
        }
    }

    /// Writes lines that say what the API server refuses to the pod, once.
    pub(super) async fn tell_refusals(&self, lines: Vec<String>) {
        let told = self.with_ledger(move |ledger| ledger.tell_refusals(&lines));
        if let Err(error) = told.await {
            tracing::warn!(file = %self.files.record, %error, "cannot write to a driver's log");
        }
    }

    /// What the log tells about a failure.
    pub(super) async fn told(&self) -> Told {
        let text = self.with_ledger(|ledger| ledger.tail()).await;
        text.map_or_else(|_| Told::default(), |text| Told::by_text(&text))
    }

    /// Tells whether the whole log is there.
    async fn copy_rest(&self, target: &Target, problem: &mut Option<String>) -> bool {
        // A pod that failed before its container ran has no log.
        if !target.has_started {
            return true;
        }
        loop {
            match self.copy(target, false).await {
                Ok(()) => return true,
                Err(CopyError::Kubernetes(KubernetesError::NotFound { .. }))
                    if self.is_whole.load(Ordering::SeqCst) =>
                {
                    return true;
                }
                Err(error) => {
                    let may_pass = matches!(
                        &error,
                        CopyError::Disk(_) | CopyError::Kubernetes(KubernetesError::Away { .. })
                    );
                    *problem = Some(chain(&error));
                    if !may_pass {
                        return false;
                    }
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Writes the lines that follow those that were written, up to the end of the log.
    async fn copy(&self, target: &Target, follow: bool) -> Result<(), CopyError> {
        let (uid, name) = (target.pod.uid.clone(), target.pod.name.clone());
        let begun =
            self.with_ledger(move |ledger| Ok((ledger.begin(&uid, &name)?, ledger.is_complete())));
        let (written, is_complete) = begun.await?;
        if is_complete {
            return Ok(());
        }
        let mut resume = Resume::of(written);
        let lines = self
            .namespace
            .log(&target.pod, &target.container, written.at, follow);
        let mut lines = lines.await?.fuse();
        while let Some(first) = lines.next().await {
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            let mut failure = None;
            // What is there without a wait is written at once.
            while let Some(line) = next.take() {
                match line {
                    Ok(line) if resume.is_new(&line) => {
                        bytes += line.text.len() + 1;
                        batch.push(line);
                    }
                    Ok(_) => {}
                    Err(error) => failure = Some(error),
                }
                if bytes < BATCH && failure.is_none() {
                    next = lines.next().now_or_never().flatten();
                }
            }
            self.write(batch).await?;
            if let Some(error) = failure {
                return Err(error.into());
            }
        }
        Ok(())
    }

    async fn write(&self, lines: Vec<LogLine>) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.with_ledger(move |ledger| ledger.append(&lines)).await
    }

    /// Works with the ledger on a thread that may block. A caller that goes away in between does not
    /// stop the work.
    async fn with_ledger<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Ledger) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let kept = Arc::clone(&self.ledger);
        let (log, record) = (self.files.stdout.clone(), self.files.record.clone());
        let limit = self.limit;
        let work = move || {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let ledger = match &mut *kept {
                Some(ledger) => ledger,
                none => none.insert(Ledger::open(log, record, limit)?),
            };
            work(ledger)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(io::Error::other)?
    }
}

async fn until(
    target: &mut watch::Receiver<Option<Target>>,
    wanted: impl Fn(&Target) -> bool,
) -> Target {
    let found = target.wait_for(|target| target.as_ref().is_some_and(&wanted));
    let found = found.await.map(|target| target.clone());
    match found {
        Ok(Some(target)) => target,
        // The log has the other end, and lives as long as its followers.
        _ => std::future::pending().await,
    }
}

fn missing(pod: &str, has_some: bool, problem: &str) -> String {
    let problem: String = problem.chars().take(500).collect();
    let problem = problem.replace(['\n', '\r'], " ");
    if has_some {
        format!("the last lines of the pod {pod} may be missing: {problem}")
    } else {
        format!("cannot read the log of the pod {pod}: {problem}")
    }
}
