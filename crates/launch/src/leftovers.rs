//! What a driver leaves behind when its supervisor was killed and nobody else will clear it away.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::time::Duration;

use livius_spark_home::processes;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::driver_dir::DriverDir;
use crate::pidfd;

/// How long to wait for a killed process before it is looked for anew.
const KILL_STEP: Duration = Duration::from_secs(1);

/// Kills whatever a driver without a supervisor left behind, until nothing is found any more.
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
            // A process that ended meanwhile is what we want.
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        for pidfd in &pidfds {
            let _ = pidfd::readable(pidfd, KILL_STEP);
        }
    }
}

/// A driver's processes: those that carry its mark in their environment, the driver itself, and all that descends from them.
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
    // A server that one of our own drivers started would carry the mark as well: no reason to end ourselves.
    found.remove(&i32::try_from(std::process::id()).unwrap_or_default());
    found
}
