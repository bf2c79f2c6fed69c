//! The server's handle to a driver: its supervisor, started by this server or an earlier one.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use livius_domain::{Clock, Departure, DriverLocation, Exit};
use livius_spark_home::processes;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::driver_dir::{DriverDir, ExitRecord};
use crate::leftovers::sweep;
use crate::location::ProcessRecord;
use crate::pidfd::{self, reap};
use crate::{Found, RunningDriver, evidence, location, verdict};

/// The time after the grace before a supervisor counts as stuck.
pub(crate) const MARGIN: Duration = Duration::from_secs(10);

/// The pause before we check again whether a supervisor has started its driver.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A running driver.
pub(crate) struct Supervised {
    dir: DriverDir,
    record: ProcessRecord,
    pidfd: Arc<AsyncFd<OwnedFd>>,
    clock: Arc<dyn Clock>,
}

impl Supervised {
    pub(crate) fn watch(
        dir: DriverDir,
        record: ProcessRecord,
        pidfd: OwnedFd,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        #[expect(
            deprecated,
            reason = "only unsound for types whose descriptor can change, which an OwnedFd's cannot; its heir is unsafe"
        )]
        let pidfd = Arc::new(AsyncFd::with_interest(pidfd, Interest::READABLE)?);
        Ok(Self {
            dir,
            record,
            pidfd,
            clock,
        })
    }

    /// Finds a driver, or removes the rest of it and reports its end. Only started drivers have a
    /// location. Without one, the files in the directory decide.
    pub(crate) async fn find(
        dir: DriverDir,
        at: Option<&DriverLocation>,
        clock: Arc<dyn Clock>,
    ) -> Found {
        let known = at
            .and_then(location::read)
            .or_else(|| dir.read_supervisor());
        if let Some(record) = known
            && let Some(pidfd) = open_same(&record)
            && let Some(pidfd) = once_begun(&dir, pidfd).await
            && let Ok(found) = Self::watch(dir.clone(), record, pidfd, Arc::clone(&clock))
        {
            return Found::Alive(Arc::new(found));
        }
        if at.is_none() && dir.never_started() {
            dir.forget_attempt();
            return Found::NeverStarted;
        }
        Found::Ended(departure(dir, clock).await)
    }

    /// Waits until the supervisor is gone.
    async fn gone(&self) {
        if self.pidfd.readable().await.is_err() {
            // The runtime is shutting down. The answer would not be read.
            std::future::pending::<()>().await;
        }
        reap(self.pidfd.get_ref());
    }

    fn tell(&self, grace: Duration) {
        if let Err(error) = self.dir.write_grace(grace) {
            tracing::warn!(dir = %self.dir.path(), %error, "could not hand the grace to the supervisor");
        }
        // It only fails when the supervisor has ended.
        let _ = pidfd_send_signal(self.pidfd.get_ref(), Signal::TERM);
    }
}

/// Opens the recorded process. `None` when it is gone or its pid was reused.
fn open_same(record: &ProcessRecord) -> Option<OwnedFd> {
    let pidfd = pidfd_open(Pid::from_raw(record.pid)?, PidfdFlags::empty()).ok()?;
    // Open before the check: a pidfd never refers to another process.
    let process = processes::look_up(record.pid)?;
    (process.start_ticks == record.start_ticks).then_some(pidfd)
}

/// Waits until a supervisor has taken its command or is gone. A supervisor whose server died before
/// it said `go` ends by itself.
async fn once_begun(dir: &DriverDir, pidfd: OwnedFd) -> Option<OwnedFd> {
    let dir = dir.clone();
    let waiting = tokio::task::spawn_blocking(move || {
        let until = Instant::now() + MARGIN;
        while dir.has_command() {
            // The descriptor reports its end. Only a look at the file shows that the command was
            // taken.
            if pidfd::readable(&pidfd, LOOK_AGAIN).unwrap_or(false) {
                reap(&pidfd);
                return None;
            }
            if Instant::now() > until {
                // It is stuck. Once it is gone, the command file shows whether the driver was
                // started.
                let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            }
        }
        Some(pidfd)
    });
    waiting.await.ok().flatten()
}

#[async_trait]
impl RunningDriver for Supervised {
    fn location(&self) -> DriverLocation {
        location::write(&self.record)
    }

    async fn ended(&self) -> Departure {
        self.gone().await;
        departure(self.dir.clone(), Arc::clone(&self.clock)).await
    }

    async fn terminate(&self, grace: Duration) -> Departure {
        let grace = grace + self.dir.cluster_grace();
        self.tell(grace);
        if tokio::time::timeout(grace + MARGIN, self.gone())
            .await
            .is_err()
        {
            tracing::warn!(dir = %self.dir.path(), pid = self.record.pid, "the supervising process is stuck; ending it by force");
            let _ = pidfd_send_signal(self.pidfd.get_ref(), Signal::KILL);
        }
        self.ended().await
    }
}

/// Collects all facts about a driver whose supervisor is gone.
async fn departure(dir: DriverDir, clock: Arc<dyn Clock>) -> Departure {
    let read = tokio::task::spawn_blocking(move || Departure {
        exit: settle(&dir, &*clock),
        verdict: verdict::read(&dir.verdict_file()),
        evidence: evidence::of_log(&dir.log()),
    });
    read.await.unwrap_or(Departure {
        exit: Exit::Unknown,
        verdict: None,
        evidence: None,
    })
}

/// Reads the driver's exit after its supervisor is gone. A supervisor that wrote none was killed,
/// so the driver's processes are ended here.
fn settle(dir: &DriverDir, clock: &dyn Clock) -> Exit {
    if let Some(known) = dir.read_exit() {
        return known.exit();
    }
    sweep(dir);
    dir.clear_away();
    if let Err(error) = dir.write_exit(&ExitRecord::new(Exit::Unknown, clock.now())) {
        tracing::warn!(dir = %dir.path(), %error, "could not write down that the driver is gone");
    }
    Exit::Unknown
}
