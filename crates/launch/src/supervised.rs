//! A driver as the server holds it: through its supervisor, which is either our child or was an earlier server's.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::{Clock, Exit, ProcessRecord};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::DriverProcess;
use crate::driver_dir::{DriverDir, ExitRecord};
use crate::processes;

/// How long a supervisor may take to start its driver: it only has to read a file and spawn.
const START_LIMIT: Duration = Duration::from_secs(30);
/// What a supervisor gets on top of the grace before it counts as stuck.
const MARGIN: Duration = Duration::from_secs(10);
/// How long to wait for a killed process before it is looked for anew.
const KILL_STEP: Duration = Duration::from_secs(1);

/// Why a supervisor could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The supervising program itself did not start.
    #[error("start the supervising process {program}")]
    Spawn {
        /// The program.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The supervisor started and then said nothing.
    #[error("hear from the supervising process")]
    Silent(#[source] io::Error),
    /// The supervisor could not start the driver.
    #[error("start the driver: {0}")]
    Refused(String),
}

/// A supervisor that was just started. Dropped before it becomes a [`Supervised`], it ends at once.
pub(crate) struct Started {
    dir: DriverDir,
    record: ProcessRecord,
    pidfd: Option<OwnedFd>,
}

impl Started {
    /// Starts `<supervisor…> <dir>` and with it the driver that the directory's `command.json` tells of.
    pub(crate) fn spawn(supervisor: &[String], dir: &DriverDir) -> Result<Self, StartError> {
        let (program, args) = supervisor.split_first().expect("the configuration names a program");
        let spawned = |source| StartError::Spawn { program: program.clone(), source };
        let stderr = std::fs::OpenOptions::new().append(true).create(true).open(dir.stderr()).map_err(spawned)?;
        let mut child = Command::new(program)
            .args(args)
            .arg(dir.path())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(spawned)?;
        let started = Self::of(&child, dir).map_err(spawned)?;
        started.handshake(&mut child)?;
        Ok(started)
    }

    fn of(child: &Child, dir: &DriverDir) -> io::Result<Self> {
        let pid = Pid::from_child(child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        let pid = pid.as_raw_nonzero().get();
        let start_ticks = processes::look_up(pid).ok_or(io::ErrorKind::NotFound)?.start_ticks;
        Ok(Self { dir: dir.clone(), record: ProcessRecord { pid, start_ticks }, pidfd: Some(pidfd) })
    }

    /// The supervisor waits for our word until its pid is on disk: whatever happens to us, its driver can be found.
    fn handshake(&self, child: &mut Child) -> Result<(), StartError> {
        let mut stdin = child.stdin.take().expect("it was made with a pipe");
        self.dir.write_supervisor(&self.record).map_err(StartError::Silent)?;
        stdin.write_all(b"go\n").map_err(StartError::Silent)?;
        drop(stdin);
        let stdout = child.stdout.take().expect("it was made with a pipe");
        let answer = read_line(stdout, START_LIMIT).map_err(StartError::Silent)?;
        match answer.trim() {
            "started" => Ok(()),
            "" => Err(StartError::Silent(io::ErrorKind::UnexpectedEof.into())),
            other => Err(StartError::Refused(other.trim_start_matches("failed: ").to_owned())),
        }
    }

    /// Hands it over to the async world. Must be called within a Tokio runtime.
    pub(crate) fn watched(mut self, clock: Arc<dyn Clock>) -> io::Result<Supervised> {
        let pidfd = self.pidfd.take().expect("only this method takes it, and it takes itself as well");
        Supervised::watch(self.dir.clone(), self.record.clone(), pidfd, clock)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let Some(pidfd) = self.pidfd.take() else { return };
        let ended = self.dir.write_grace(Duration::ZERO).is_ok()
            && pidfd_send_signal(&pidfd, Signal::TERM).is_ok()
            && matches!(wait_for_end(&pidfd, MARGIN), Ok(true));
        if !ended {
            // Failing means that it is gone, which is what we want.
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            let _ = wait_for_end(&pidfd, MARGIN);
            sweep(&self.dir);
        }
        reap(&pidfd);
    }
}

/// A line from a pipe. It ends early when the other side closes, and is an error when nothing comes in time.
fn read_line(stdout: ChildStdout, limit: Duration) -> io::Result<String> {
    if !wait_for_end(&stdout, limit)? {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let mut line = String::new();
    // The supervisor writes its line in one piece, so once there is anything there is all of it.
    BufReader::new(stdout).read_line(&mut line)?;
    Ok(line)
}

/// Waits until a descriptor is readable: for a pidfd, until the process has ended. False when the time is up.
fn wait_for_end(fd: &impl std::os::fd::AsFd, limit: Duration) -> io::Result<bool> {
    let until = Instant::now() + limit;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&left)) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(ready) => return Ok(ready > 0),
        }
    }
}

/// Lets the system forget an ended child; one that is not our child is not ours to forget.
fn reap(pidfd: &OwnedFd) {
    use std::os::fd::AsFd as _;
    let _ = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
}

/// A running driver.
pub(crate) struct Supervised {
    dir: DriverDir,
    record: ProcessRecord,
    pidfd: Arc<AsyncFd<OwnedFd>>,
    clock: Arc<dyn Clock>,
}

impl Supervised {
    fn watch(dir: DriverDir, record: ProcessRecord, pidfd: OwnedFd, clock: Arc<dyn Clock>) -> io::Result<Self> {
        #[expect(deprecated, reason = "only unsound for types whose descriptor can change, which an OwnedFd's cannot; its heir is unsafe")]
        let pidfd = Arc::new(AsyncFd::with_interest(pidfd, Interest::READABLE)?);
        Ok(Self { dir, record, pidfd, clock })
    }

    /// Finds a driver again, or clears away what is left of it and tells how it ended. Without a record the directory tells.
    pub(crate) async fn adopt(
        dir: DriverDir,
        record: Option<&ProcessRecord>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Exit> {
        let record = record.cloned().or_else(|| dir.read_supervisor());
        if let Some(record) = record
            && let Some(pidfd) = open_same(&record)
            && let Ok(found) = Self::watch(dir.clone(), record, pidfd, Arc::clone(&clock))
        {
            return Ok(found);
        }
        Err(settle(dir, clock).await)
    }

    fn tell(&self, grace: Duration) {
        if let Err(error) = self.dir.write_grace(grace) {
            tracing::warn!(dir = %self.dir.path(), %error, "could not hand the grace to the supervisor");
        }
        // It can only fail when the supervisor has ended already.
        let _ = pidfd_send_signal(self.pidfd.get_ref(), Signal::TERM);
    }
}

/// Opens the recorded process, unless it is gone or its number is another's now.
fn open_same(record: &ProcessRecord) -> Option<OwnedFd> {
    let pidfd = pidfd_open(Pid::from_raw(record.pid)?, PidfdFlags::empty()).ok()?;
    // Opened first and looked at second, the descriptor cannot come to mean another process in between.
    let process = processes::look_up(record.pid)?;
    (process.start_ticks == record.start_ticks).then_some(pidfd)
}

#[async_trait]
impl DriverProcess for Supervised {
    fn record(&self) -> ProcessRecord {
        self.record.clone()
    }

    async fn exited(&self) -> Exit {
        if self.pidfd.readable().await.is_err() {
            // The runtime is shutting down, and nobody will wait for the answer.
            std::future::pending::<()>().await;
        }
        reap(self.pidfd.get_ref());
        settle(self.dir.clone(), Arc::clone(&self.clock)).await
    }

    async fn terminate(&self, grace: Duration) -> Exit {
        self.tell(grace);
        if let Ok(exit) = tokio::time::timeout(grace + MARGIN, self.exited()).await {
            return exit;
        }
        tracing::warn!(dir = %self.dir.path(), pid = self.record.pid, "the supervising process is stuck; ending it by force");
        let _ = pidfd_send_signal(self.pidfd.get_ref(), Signal::KILL);
        self.exited().await
    }
}

/// Reads how the driver ended, once its supervisor is gone. A supervisor that could not write it down was killed: what it watched over
/// is then ended here.
async fn settle(dir: DriverDir, clock: Arc<dyn Clock>) -> Exit {
    let settled = tokio::task::spawn_blocking(move || {
        if let Some(known) = dir.read_exit() {
            return known.exit();
        }
        sweep(&dir);
        dir.remove_secrets();
        if let Err(error) = dir.write_exit(&ExitRecord::new(Exit::Unknown, clock.now())) {
            tracing::warn!(dir = %dir.path(), %error, "could not write down that the driver is gone");
        }
        Exit::Unknown
    });
    settled.await.unwrap_or(Exit::Unknown)
}

/// Kills whatever a driver without a supervisor left behind, until nothing is found any more.
fn sweep(dir: &DriverDir) {
    let mut rounds = 0_u32;
    loop {
        let found = leftovers(dir);
        if found.is_empty() {
            return;
        }
        rounds += 1;
        if rounds.is_multiple_of(30) {
            tracing::error!(dir = %dir.path(), pids = ?found, "processes of a driver cannot be killed");
        }
        let pidfds: Vec<OwnedFd> = found
            .into_iter()
            .filter_map(|pid| pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok())
            .collect();
        for pidfd in &pidfds {
            // A process that ended meanwhile is what we want.
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        for pidfd in &pidfds {
            let _ = wait_for_end(pidfd, KILL_STEP);
        }
    }
}

/// A driver's processes: those that carry its mark in their environment, the driver itself, and all that descends from them.
fn leftovers(dir: &DriverDir) -> BTreeSet<i32> {
    let mark = dir.mark();
    let mut found: BTreeSet<i32> =
        processes::all().into_iter().filter(|p| !p.zombie && processes::has_environment(p.pid, &mark)).map(|p| p.pid).collect();
    let driver = dir.read_driver().filter(|driver| {
        processes::look_up(driver.pid).is_some_and(|p| !p.zombie && p.start_ticks == driver.start_ticks)
    });
    found.extend(driver.map(|driver| driver.pid));
    let descendants = processes::descendants(&found);
    found.extend(descendants.into_iter().map(|process| process.pid));
    // A server that one of our own drivers started would carry the mark as well: no reason to end ourselves.
    found.remove(&i32::try_from(std::process::id()).unwrap_or_default());
    found
}
