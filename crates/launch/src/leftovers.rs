//! Ends the processes of a driver whose supervisor was killed.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use livius_spark_home::processes;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::driver_dir::DriverDir;
use crate::pidfd;

/// The time to wait for killed processes before we look again.
const KILL_STEP: Duration = Duration::from_secs(1);

/// The result of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swept {
    /// No process was there.
    Nothing,
    /// Processes were there, and none is now.
    Killed,
}

/// Kills the processes of a driver without a supervisor until none is left. An error means that
/// some may be left.
pub(crate) fn sweep(dir: &DriverDir) -> io::Result<Swept> {
    let mut rounds = 0_u32;
    loop {
        let found = leftovers(dir)?;
        if found.is_empty() {
            return Ok(match rounds {
                0 => Swept::Nothing,
                _ => Swept::Killed,
            });
        }
        rounds += 1;
        if rounds.is_multiple_of(30) {
            tracing::error!(dir = %dir.path(), pids = ?found, "processes of a driver cannot be killed");
        }
        let opened = found.into_iter().filter_map(open);
        let pidfds = opened.collect::<io::Result<Vec<OwnedFd>>>()?;
        for pidfd in &pidfds {
            // An error means that the process has ended, which is the goal.
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        for pidfd in &pidfds {
            let _ = pidfd::readable(pidfd, KILL_STEP);
        }
    }
}

fn open(pid: i32) -> Option<io::Result<OwnedFd>> {
    match pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()) {
        // It has ended since.
        Err(Errno::SRCH | Errno::INVAL) => None,
        opened => Some(opened.map_err(io::Error::from)),
    }
}

/// Finds a driver's processes: those with its mark in their environment, the driver itself, and all
/// descendants.
fn leftovers(dir: &DriverDir) -> io::Result<BTreeSet<i32>> {
    let mark = dir.mark();
    let mut found = BTreeSet::new();
    for process in processes::all()? {
        if !process.zombie && processes::has_environment(process.pid, &mark)? {
            found.insert(process.pid);
        }
    }
    if let Some(driver) = dir.read_driver()? {
        let alive = driver.find()?.filter(|process| !process.zombie);
        found.extend(alive.map(|process| process.pid));
    }
    let descendants = processes::descendants(&found)?;
    found.extend(descendants.into_iter().map(|process| process.pid));
    // A server that a driver of ours has started has the mark, too. It must not end itself.
    found.remove(&i32::try_from(std::process::id()).unwrap_or_default());
    Ok(found)
}
