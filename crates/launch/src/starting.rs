//! Starting a supervisor, and with it a driver.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use livius_domain::Clock;
use livius_spark_home::processes;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::driver_dir::{DriverCommand, DriverDir};
use crate::leftovers::sweep;
use crate::location::ProcessRecord;
use crate::pidfd;
use crate::supervised::{MARGIN, Supervised};

/// How long a supervisor may take to start its driver: it only has to read a file and spawn.
const START_LIMIT: Duration = Duration::from_secs(30);

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
    /// Starts `<supervisor…> <dir>` and with it the driver that the directory's `command.json` tells of. The supervisor's own log is
    /// the driver's.
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
        let started = Self::of(&child, dir).map_err(spawned)?;
        started.handshake(&mut child)?;
        Ok(started)
    }

    fn of(child: &Child, dir: &DriverDir) -> io::Result<Self> {
        let pid = Pid::from_child(child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        let pid = pid.as_raw_nonzero().get();
        let start_ticks = processes::look_up(pid)
            .ok_or(io::ErrorKind::NotFound)?
            .start_ticks;
        Ok(Self {
            dir: dir.clone(),
            record: ProcessRecord { pid, start_ticks },
            pidfd: Some(pidfd),
        })
    }

    /// The supervisor waits for our word until its pid is on disk: whatever happens to us, its driver can be found.
    fn handshake(&self, child: &mut Child) -> Result<(), StartError> {
        let mut stdin = child.stdin.take().expect("it was made with a pipe");
        self.dir
            .write_supervisor(&self.record)
            .map_err(StartError::Silent)?;
        stdin.write_all(b"go\n").map_err(StartError::Silent)?;
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

    /// Hands it over to the async world. Must be called within a Tokio runtime.
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
            // Failing means that it is gone, which is what we want.
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            let _ = pidfd::readable(&pidfd, MARGIN);
            sweep(&self.dir);
        }
        pidfd::reap(&pidfd);
    }
}

/// A line from a pipe. It ends early when the other side closes, and is an error when nothing comes in time.
fn read_line(stdout: ChildStdout, limit: Duration) -> io::Result<String> {
    if !pidfd::readable(&stdout, limit)? {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let mut line = String::new();
    // The supervisor writes its line in one piece, so once there is anything there is all of it.
    BufReader::new(stdout).read_line(&mut line)?;
    Ok(line)
}
