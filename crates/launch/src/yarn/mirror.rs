//! Copies the log of a driver in a container into the driver's own log files.
//!
//! A NodeManager forgets a container seconds after its end, and not every cluster keeps logs. So the
//! log is copied while the driver runs, every few seconds and when a client reads it, and a last time at
//! its end. Everything that reads a log reads the files of the driver's directory.
//! `docs/adr/0025-the-logs-of-containers-are-copied.md` has the reasons.

mod ledger;
mod record;

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use livius_domain::{AppInfo, chain};
use livius_yarn::{Application, ApplicationId, Attempt, Cluster, Container, YarnError};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use self::ledger::Ledger;
use self::record::Output;
use super::ending;
use crate::evidence::Told;
use crate::log::MirroredFiles;

/// The pause between two copies of a log that no client reads.
const INTERVAL: Duration = Duration::from_secs(5);
/// The longest time of such a copy.
const UNREAD_LIMIT: Duration = Duration::from_secs(10);
/// The longest wait of a client that reads a log.
const READER_LIMIT: Duration = Duration::from_secs(2);
/// How soon after a copy readers may have another one.
const FRESH: Duration = Duration::from_secs(1);
/// The same after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// The longest time for the rest of an earlier attempt's log.
const EARLIER_LIMIT: Duration = Duration::from_secs(3);
/// The longest time for the last copy. The aggregated logs are there seconds after the end.
const LAST_LIMIT: Duration = Duration::from_secs(20);
/// The pause before YARN is asked again for a log's end.
const PAUSE: Duration = Duration::from_secs(1);

/// The copied log of one driver.
#[derive(Debug)]
pub(crate) struct Mirror {
    files: MirroredFiles,
    limit: u64,
    cluster: Cluster,
    permits: Arc<Semaphore>,
    target: Mutex<Option<Target>>,
    /// Only threads that may wait for the disk lock it. `None` before the first use.
    ledger: Arc<Mutex<Option<Ledger>>>,
    /// The time before which no reader has another copy. Its owner copies.
    next: tokio::sync::Mutex<Option<Instant>>,
    /// The failure of the last attempt.
    problem: Mutex<Option<String>>,
    is_retired: Arc<AtomicBool>,
}

/// The container that runs the driver, or the executor.
#[derive(Debug, Clone)]
struct Target {
    container: Container,
    /// The application whose master it runs.
    app: Option<ApplicationId>,
    /// The page with its log.
    address: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error(transparent)]
    Yarn(#[from] YarnError),
    #[error("write the log")]
    Disk(#[from] io::Error),
}

impl CopyError {
    /// Whether time may change it.
    fn may_pass(&self) -> bool {
        match self {
            // A driver's directory is removed with the driver.
            Self::Disk(error) => error.kind() != io::ErrorKind::NotFound,
            Self::Yarn(YarnError::Away(_) | YarnError::NotFound { .. }) => true,
            Self::Yarn(_) => false,
        }
    }
}

impl Mirror {
    pub(super) fn new(
        files: MirroredFiles,
        limit: u64,
        cluster: Cluster,
        permits: Arc<Semaphore>,
    ) -> Self {
        Self {
            files,
            limit,
            cluster,
            permits,
            target: Mutex::default(),
            ledger: Arc::default(),
            next: tokio::sync::Mutex::new(None),
            problem: Mutex::default(),
            is_retired: Arc::default(),
        }
    }

    /// Tells the container of the driver. The submitter has ended: it writes to the same files.
    pub(super) fn follow(&self, application: &Application) {
        let Some(container) = application.am_container() else {
            return;
        };
        let page = application.am_container_logs.clone();
        let address = page.filter(|url| AppInfo::is_address(url));
        *self.target() = Some(Target {
            container,
            app: Some(application.id),
            address,
        });
    }

    /// Tells a container that never changes: that of an executor.
    pub(super) fn stay_with(&self, container: Container) {
        *self.target() = Some(Target {
            container,
            app: None,
            address: None,
        });
    }

    /// Why an application that has no container now has lost the one that it had. `None` if it never
    /// had one, or YARN does not tell.
    pub(super) async fn why_lost(&self, application: &Application) -> Option<String> {
        if application.am_container().is_some() {
            return None;
        }
        let known = self.target().as_ref().map(|it| it.container.clone());
        let before = match known {
            Some(known) => known,
            // A server that was restarted knows it from the record.
            None => self
                .with_ledger(|ledger| Ok(ledger.container()))
                .await
                .ok()??,
        };
        self.why_ended(application.id, &before).await
    }

    /// Why YARN gave up the attempt whose master a container has run. `None` if that was another
    /// application: a repeated submission can have made several.
    async fn why_ended(&self, app: ApplicationId, container: &Container) -> Option<String> {
        let asked = timeout(EARLIER_LIMIT, self.cluster.attempts(app)).await;
        let attempts = asked.ok()?.ok()?;
        let has_run = |attempt: &&Attempt| {
            let master = attempt.container.as_ref();
            master.is_some_and(|master| master.id == container.id)
        };
        let attempt = attempts.iter().find(has_run)?;
        ending::of_attempt(&attempt.diagnostics)
    }

    /// Ends all writing, because the files are about to be removed. Blocks.
    pub(super) fn retire(&self) {
        let _ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_retired.store(true, Ordering::SeqCst);
    }

    /// Why the log cannot be copied now, if that was so at the last attempt.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn say(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    /// Copies the log every few seconds, without end.
    pub(super) async fn keep_copying(&self) -> Infallible {
        loop {
            self.refresh(UNREAD_LIMIT).await;
            sleep(INTERVAL).await;
        }
    }

    /// Copies what is new for a client that reads the log.
    pub(crate) async fn refresh_for_reader(&self) {
        self.refresh(READER_LIMIT).await;
    }

    /// Copies what is new, unless that was done a moment ago.
    pub(super) async fn refresh(&self, limit: Duration) {
        let copy = async {
            let Some(target) = self.target().clone() else {
                return;
            };
            let mut next = self.next.lock().await;
            if next.is_some_and(|next| Instant::now() < next) {
                return;
            }
            // It counts as failed if it is given up.
            *next = Some(Instant::now() + AFTER_FAILURE);
            match self.copy(&target).await {
                Ok(_) => {
                    self.say(None);
                    *next = Some(Instant::now() + FRESH);
                }
                Err(error) if error.may_pass() => {
                    self.say(Some(chain(&error)));
                    tracing::debug!(
                        container = target.container.id,
                        error = chain(&error),
                        "cannot copy a driver's log now"
                    );
                }
                Err(error) => {
                    let problem = chain(&error);
                    let noted = self.with_ledger(move |ledger| {
                        ledger.note(&missing(&target, ledger.has_copied(), &problem))
                    });
                    self.report(noted.await);
                }
            }
        };
        // The log has what was read in time.
        let _ = timeout(limit, copy).await;
    }

    /// Copies the rest after the driver's end. A line says what is missing.
    pub(super) async fn finish(&self) {
        let Some(target) = self.last_target().await else {
            return;
        };
        let mut next = self.next.lock().await;
        *next = None;
        let mut problem = None;
        let rest = timeout(LAST_LIMIT, self.copy_rest(&target, &mut problem)).await;
        let is_whole = rest.unwrap_or(false);
        let finished = self.with_ledger(move |ledger| {
            if !is_whole && !ledger.is_complete() {
                let problem = problem.unwrap_or_else(|| "YARN was too slow".to_owned());
                ledger.note(&missing(&target, ledger.has_copied(), &problem))?;
            }
            ledger.complete()
        });
        self.report(finished.await);
    }

    /// What the copied log tells about a failure. The output of a Python program is in the
    /// first file. A failure of the JVM is in YARN's diagnostics as well.
    pub(super) async fn told(&self) -> Told {
        let read = |ledger: &mut Ledger| {
            let mut told = Told::default();
            for output in Output::ALL {
                told = told.or(Told::by_text(&ledger.tail(output)?));
            }
            Ok(told)
        };
        self.with_ledger(read).await.unwrap_or_default()
    }

    fn target(&self) -> MutexGuard<'_, Option<Target>> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The container of a driver whose log is not complete. A server that was restarted may know it
    /// from the record only.
    async fn last_target(&self) -> Option<Target> {
        let known = self.target().clone();
        let look = move |ledger: &mut Ledger| {
            let recorded = || {
                Some(Target {
                    container: ledger.container()?,
                    app: None,
                    address: None,
                })
            };
            let target = known.or_else(recorded);
            Ok(target.filter(|_| !ledger.is_complete()))
        };
        let looked = self.with_ledger(look).await;
        let looked = looked.inspect_err(
            |error| tracing::warn!(file = %self.files.record, %error, "cannot complete a driver's log"),
        );
        looked.ok().flatten()
    }

    /// Tells whether the whole log is there. The container may live a little longer than its
    /// application, so the log has ended when YARN has forgotten the container or two reads find the
    /// same.
    async fn copy_rest(&self, target: &Target, problem: &mut Option<String>) -> bool {
        let mut was_read = false;
        loop {
            match self.copy(target).await {
                Ok(false) if was_read => return true,
                Ok(_) => was_read = true,
                Err(CopyError::Yarn(YarnError::NotFound { .. })) if was_read => return true,
                Err(error) => {
                    let is_lost = matches!(&error, CopyError::Yarn(YarnError::NotFound { .. }))
                        && !self.cluster.keeps_logs();
                    let ends = is_lost || !error.may_pass();
                    *problem = Some(chain(&error));
                    if ends {
                        return false;
                    }
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Copies everything that YARN has now, and tells whether that was anything.
    async fn copy(&self, target: &Target) -> Result<bool, CopyError> {
        let _permit = self.permits.acquire().await.map_err(io::Error::other)?;
        let container = &target.container;
        let (before, is_complete) = self
            .with_ledger(|ledger| Ok((ledger.container(), ledger.is_complete())))
            .await?;
        if is_complete {
            return Ok(false);
        }
        let mut why = None;
        if let Some(earlier) = before.filter(|before| before.id != container.id) {
            if let Ok(Err(error)) = timeout(EARLIER_LIMIT, self.copy_from(&earlier)).await {
                tracing::debug!(
                    container = earlier.id,
                    error = chain(&error),
                    "cannot copy the rest of an earlier attempt's log"
                );
            }
            if let Some(app) = target.app {
                why = self.why_ended(app, &earlier).await;
            }
        }
        let begun = container.clone();
        self.with_ledger(move |ledger| ledger.begin(&begun, why))
            .await?;
        self.copy_from(container).await
    }

    async fn copy_from(&self, container: &Container) -> Result<bool, CopyError> {
        let files = self.cluster.log_files(container).await?;
        let mut grown = false;
        for output in Output::ALL {
            let Some(file) = files.iter().find(|file| file.name == output.name()) else {
                continue;
            };
            let total = file.bytes;
            while let Some(piece) = self
                .with_ledger(move |ledger| Ok(ledger.next(output, total)))
                .await?
            {
                let reading =
                    self.cluster
                        .read_log(container, output.name(), piece.from, piece.length);
                let content = reading.await?.content;
                if content.is_empty() {
                    break;
                }
                self.with_ledger(move |ledger| ledger.append(output, piece, &content))
                    .await?;
                grown = true;
            }
        }
        Ok(grown)
    }

    fn report(&self, written: io::Result<()>) {
        if let Err(error) = written
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(file = %self.files.record, %error, "cannot write to a driver's log");
        }
    }

    /// Works with the ledger on a thread that may block. A caller that goes away in between does not
    /// stop the work.
    async fn with_ledger<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Ledger) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let kept = Arc::clone(&self.ledger);
        let is_retired = Arc::clone(&self.is_retired);
        let (files, limit) = (self.files.clone(), self.limit);
        let work = move || {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if is_retired.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::NotFound.into());
            }
            let ledger = match &mut *kept {
                Some(ledger) => ledger,
                none => none.insert(Ledger::open(files, limit)?),
            };
            work(ledger)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(io::Error::other)?
    }
}

fn missing(target: &Target, has_some: bool, problem: &str) -> String {
    let id = &target.container.id;
    let problem: String = problem.chars().take(500).collect();
    let problem = problem.replace(['\n', '\r'], " ");
    let what = if has_some {
        format!("the last lines of {id} may be missing")
    } else {
        format!("cannot copy the log of {id}")
    };
    match &target.address {
        Some(address) => format!("{what}: {problem}; its address at YARN is {address}"),
        None => format!("{what}: {problem}"),
    }
}
