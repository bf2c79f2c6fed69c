//! Starts a supervisor, which starts the driver.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use livius_domain::Clock;
use livius_failpoint::{Point, reach};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::driver_dir::{DriverCommand, DriverDir};
use crate::leftovers::sweep;
use crate::location::ProcessRecord;
use crate::pidfd;
use crate::supervised::{MARGIN, Supervised};

/// The time that a supervisor may take to start its driver. It only reads a file and spawns a
/// process.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Attempts to end what is left of a launch that failed, and the pause between them.
const SWEEPS: u32 = 30;
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// Why a supervisor could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The supervisor did not start.
    #[error("start the supervising process {program}")]
    Spawn {
        /// The program.
        program: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The supervisor started and did not answer.
    #[error("hear from the supervising process")]
    Silent(#[source] io::Error),
    /// The supervisor could not start the driver.
    #[error("start the driver: {0}")]
    Refused(String),
}

/// A supervisor that was just started. It is ended if it is dropped before it becomes a
/// [`Supervised`].
pub(crate) struct Started {
    dir: DriverDir,
    record: ProcessRecord,
    pidfd: Option<OwnedFd>,
}

impl Started {
    /// Starts `<supervisor…> <dir>`, which starts the driver of the directory's `command.json`. The
    /// supervisor writes to the driver's log.
    pub(crate) fn spawn(
        supervisor: &[String],
        dir: &DriverDir,
        driver: &DriverCommand,
    ) -> Result<Self, StartError> {
        let (program, args) = supervisor
            .split_first()
            .expect("the configuration names a program");
        let spawned = |source| StartError::Spawn {
            program: program.clone(),
            source,
        };
        let stderr = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(driver.stderr(dir))
            .map_err(spawned)?;
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
        let started = Self::of(&child, dir).map_err(|error| {
            // It was not told to go, so it ends.
            drop(child.stdin.take());
            let _ = child.wait();
            spawned(error)
        })?;
        reach(Point::SupervisorSpawned);
        started.handshake(&mut child)?;
        reach(Point::DriverStarted);
        Ok(started)
    }

    fn of(child: &Child, dir: &DriverDir) -> io::Result<Self> {
        let pid = Pid::from_child(child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        let record = ProcessRecord::of(pid.as_raw_nonzero().get())?;
        Ok(Self {
            dir: dir.clone(),
            record: record.ok_or(io::ErrorKind::NotFound)?,
            pidfd: Some(pidfd),
        })
    }

    /// The supervisor waits until its pid is on disk, so the next server finds the driver even if
    /// this one dies now.
    fn handshake(&self, child: &mut Child) -> Result<(), StartError> {
        let mut stdin = child.stdin.take().expect("it was made with a pipe");
        self.dir
            .write_supervisor(&self.record)
            .map_err(StartError::Silent)?;
        reach(Point::SupervisorRecorded);
        stdin.write_all(b"go\n").map_err(StartError::Silent)?;
        reach(Point::SupervisorTold);
        drop(stdin);
        let stdout = child.stdout.take().expect("it was made with a pipe");
        let answer = read_line(stdout, START_LIMIT).map_err(StartError::Silent)?;
        match answer.trim() {
            "started" => Ok(()),
            "" => Err(StartError::Silent(io::ErrorKind::UnexpectedEof.into())),
            other => Err(StartError::Refused(
                other.trim_start_matches("failed: ").to_owned(),
            )),
        }
    }

    /// Makes it a handle for async code. Must be called within a Tokio runtime.
    pub(crate) fn watched(mut self, clock: Arc<dyn Clock>) -> io::Result<Supervised> {
        let pidfd = self
            .pidfd
            .take()
            .expect("only this method takes it, and it takes itself as well");
        Supervised::watch(self.dir.clone(), self.record.clone(), pidfd, clock)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let Some(pidfd) = self.pidfd.take() else {
            return;
        };
        let ended = self.dir.write_grace(Duration::ZERO).is_ok()
            && pidfd_send_signal(&pidfd, Signal::TERM).is_ok()
            && matches!(pidfd::readable(&pidfd, MARGIN), Ok(true));
        if !ended {
            // An error means that it is gone, which is the goal.
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            let _ = pidfd::readable(&pidfd, MARGIN);
            end_rest(&self.dir);
        }
        pidfd::reap(&pidfd);
    }
}

/// Ends what a killed supervisor leaves. The caller says that nothing is left, so an attempt that
/// fails is repeated for some time.
fn end_rest(dir: &DriverDir) {
    for _ in 0..SWEEPS {
        match sweep(dir) {
            Ok(_) => return,
            Err(error) => {
                tracing::error!(dir = %dir.path(), %error, "cannot look for what is left of a driver");
                std::thread::sleep(SWEEP_PAUSE);
            }
        }
    }
}

/// Reads a line from a pipe. The line is short when the other side closes the pipe. It is an error
/// when nothing arrives in time.
fn read_line(stdout: ChildStdout, limit: Duration) -> io::Result<String> {
    if !pidfd::readable(&stdout, limit)? {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let mut line = String::new();
    // The supervisor writes its line at once, so the whole line is there.
    BufReader::new(stdout).read_line(&mut line)?;
    Ok(line)
}
