//! The server's handle to a driver: its supervisor, started by this server or an earlier one.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use livius_domain::failure::Clue;
use livius_domain::{Clock, Departure, DriverLocation, Exit, Unseen};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::driver_dir::DriverDir;
use crate::evidence::Told;
use crate::exit_record::ExitRecord;
use crate::leftovers::{Swept, sweep};
use crate::location::{Location, ProcessRecord};
use crate::pidfd::{self, reap};
use crate::{Found, RunningDriver, location, verdict};

/// The time after the grace before a supervisor counts as stuck.
pub(crate) const MARGIN: Duration = Duration::from_secs(10);

/// The pause before we check again whether a supervisor has started its driver.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The pause before another attempt to find out how a driver ended.
const RETRY: Duration = Duration::from_secs(1);

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
        let found = Self::look(dir, at, clock).await;
        found.unwrap_or_else(|error| Found::Unclear(error.to_string()))
    }

    /// An error means that something could not be looked at. It says nothing about the driver.
    async fn look(
        dir: DriverDir,
        at: Option<&DriverLocation>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Found> {
        let known = match at.and_then(location::read) {
            Some(location) => Some(location.supervisor),
            None => dir.read_supervisor()?,
        };
        if let Some(record) = known
            && let Some(pidfd) = open_same(&record)?
            && let Some(pidfd) = once_begun(&dir, pidfd).await?
        {
            return Ok(Found::Alive(Arc::new(Self::watch(
                dir, record, pidfd, clock,
            )?)));
        }
        if at.is_none() && dir.never_started()? {
            dir.forget_attempt();
            return Ok(Found::NeverStarted);
        }
        Ok(Found::Ended(departure(dir, clock).await?))
    }

    /// The supervisor's process.
    pub(crate) fn record(&self) -> &ProcessRecord {
        &self.record
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
fn open_same(record: &ProcessRecord) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = Pid::from_raw(record.pid) else {
        return Ok(None);
    };
    let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
        // The second is the answer for a thread that has the number now.
        Err(Errno::SRCH | Errno::INVAL) => return Ok(None),
        opened => opened?,
    };
    // Open before the check: a pidfd never refers to another process.
    Ok(record.find()?.map(|_| pidfd))
}

/// Waits until a supervisor has taken its command or is gone. A supervisor whose server died before
/// it said `go` ends by itself.
async fn once_begun(dir: &DriverDir, pidfd: OwnedFd) -> io::Result<Option<OwnedFd>> {
    let dir = dir.clone();
    let waiting = tokio::task::spawn_blocking(move || {
        let until = Instant::now() + MARGIN;
        while dir.has_command()? {
            // The descriptor reports its end. Only a look at the file shows that the command was
            // taken.
            if pidfd::readable(&pidfd, LOOK_AGAIN)? {
                reap(&pidfd);
                return Ok(None);
            }
            if Instant::now() > until {
                // It is stuck. Once it is gone, the command file shows whether the driver was
                // started.
                let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            }
        }
        Ok(Some(pidfd))
    });
    waiting.await.map_err(io::Error::other)?
}

#[async_trait]
impl RunningDriver for Supervised {
    fn location(&self) -> DriverLocation {
        location::write(&Location {
            supervisor: self.record.clone(),
            place: None,
        })
    }

    async fn ended(&self) -> Departure {
        self.gone().await;
        loop {
            match departure(self.dir.clone(), Arc::clone(&self.clock)).await {
                Ok(departure) => return departure,
                Err(error) => {
                    tracing::warn!(dir = %self.dir.path(), %error, "cannot find out how a driver ended; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
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
async fn departure(dir: DriverDir, clock: Arc<dyn Clock>) -> io::Result<Departure> {
    let read = tokio::task::spawn_blocking(move || {
        let (exit, unseen, killed) = settle(&dir, &*clock)?;
        let departure = Told::by_log(&dir.log()).within(Departure {
            unseen,
            verdict: verdict::read(&dir.verdict_file())?,
            ..Departure::of(exit)
        });
        let departure = Departure {
            clue: killed.or(departure.clue),
            ..departure
        };
        // The temporary files of a killed driver can be large. Its end does not wait for them.
        dir.clear_away();
        Ok(departure)
    });
    read.await.map_err(io::Error::other)?
}

/// Reads the driver's exit after its supervisor is gone. A supervisor that wrote none was killed,
/// so the driver's processes are ended here.
fn settle(dir: &DriverDir, clock: &dyn Clock) -> io::Result<(Exit, Option<Unseen>, Option<Clue>)> {
    if let Some(known) = dir.read_exit()? {
        return Ok((known.exit(), known.why_unseen(), known.clue()));
    }
    let supervisor = dir.read_supervisor()?;
    let restarted = supervisor.map_or(Ok(false), |process| process.is_of_earlier_boot())?;
    let unseen = match (sweep(dir)?, restarted) {
        (Swept::Killed, _) => Unseen::SupervisorKilled,
        (Swept::Nothing, true) => Unseen::MachineRestarted,
        (Swept::Nothing, false) => Unseen::BothVanished,
    };
    dir.remove_secrets();
    let record = ExitRecord::unseen(unseen, clock.now());
    if let Err(error) = dir.reserve_exit().and_then(|room| room.write(&record)) {
        tracing::warn!(dir = %dir.path(), %error, "could not write down that the driver is gone");
    }
    Ok((Exit::Unknown, Some(unseen), None))
}
