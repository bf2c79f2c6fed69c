//! Ends the processes of a driver whose supervisor was killed.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::time::Duration;

use livius_spark_home::processes;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::driver_dir::DriverDir;
use crate::pidfd;

/// The time to wait for killed processes before we look again.
const KILL_STEP: Duration = Duration::from_secs(1);

/// Kills the processes of a driver without a supervisor until none is left.
pub(crate) fn sweep(dir: &DriverDir) {
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
            // An error means that the process has ended, which is the goal.
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        for pidfd in &pidfds {
            let _ = pidfd::readable(pidfd, KILL_STEP);
        }
    }
}

/// Finds a driver's processes: those with its mark in their environment, the driver itself, and all
/// descendants.
fn leftovers(dir: &DriverDir) -> BTreeSet<i32> {
    let mark = dir.mark();
    let mut found: BTreeSet<i32> = processes::all()
        .into_iter()
        .filter(|p| !p.zombie && processes::has_environment(p.pid, &mark))
        .map(|p| p.pid)
        .collect();
    let driver = dir.read_driver().filter(|driver| {
        processes::look_up(driver.pid)
            .is_some_and(|p| !p.zombie && p.start_ticks == driver.start_ticks)
    });
    found.extend(driver.map(|driver| driver.pid));
    let descendants = processes::descendants(&found);
    found.extend(descendants.into_iter().map(|process| process.pid));
    // A server that a driver of ours has started has the mark, too. It must not end itself.
    found.remove(&i32::try_from(std::process::id()).unwrap_or_default());
    found
}
