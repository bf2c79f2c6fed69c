//! Processes of drivers that no record names: they carry our mark, and belong to this server's directory.
//!
//! A server that dies, or a store that is put back to an older state, may leave them. The supervisor of a
//! driver has the driver's directory in its command line, and all other processes have it in their
//! environment.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::DriverId;
use livius_spark_home::processes;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::driver_dir::DriverDir;
use crate::leftovers::sweep;
use crate::pidfd;
use crate::supervised::MARGIN;

/// The word before the directory in the command line of a supervisor.
const SUPERVISE: &[u8] = b"supervise";

/// The time that a driver which no record names may take to end after SIGTERM.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// The processes of drivers on this machine, by driver. Those of this program's own are left out.
pub fn running(drivers: &Utf8Path) -> io::Result<BTreeMap<DriverId, BTreeSet<i32>>> {
    let drivers = Drivers::below(drivers);
    let mut found = BTreeMap::<DriverId, BTreeSet<i32>>::new();
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    for process in processes::all()? {
        // A server that a driver has started has that driver's mark, and must not end itself.
        if process.zombie || process.pid == own {
            continue;
        }
        if let Some(driver) = drivers.of(process.pid)? {
            found.entry(driver).or_default().insert(process.pid);
        }
    }
    Ok(found)
}

/// Ends the processes of a driver, first by its supervisor. Blocks until none is left.
pub(crate) fn end(drivers: &Utf8Path, id: &DriverId) -> io::Result<()> {
    let dir = DriverDir::of(drivers, id);
    let Some(pids) = running(drivers)?.remove(id) else {
        return Ok(());
    };
    // Only a directory that is there can take it. Without it the supervisor has a default.
    let _ = dir.write_grace(GRACE);
    let of = Drivers::below(drivers);
    for pid in pids {
        if let Some(supervisor) = open(pid)?
            && of.supervised_by(pid)?.as_ref() == Some(id)
        {
            end_supervisor(&supervisor);
        }
    }
    sweep(&dir).map(drop)
}

/// A supervisor ends what it has started, and then itself.
fn end_supervisor(supervisor: &OwnedFd) {
    // An error means that it has ended, which is the goal.
    let _ = pidfd_send_signal(supervisor, Signal::TERM);
    if !matches!(pidfd::readable(supervisor, GRACE + MARGIN), Ok(true)) {
        let _ = pidfd_send_signal(supervisor, Signal::KILL);
        let _ = pidfd::readable(supervisor, MARGIN);
    }
    pidfd::reap(supervisor);
}

/// Opened before its command line is read again: the number may be another process's by now.
fn open(pid: i32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = Pid::from_raw(pid) else {
        return Ok(None);
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Err(Errno::SRCH | Errno::INVAL) => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

/// The directory of all drivers, under the name that it has now and the one that it had.
struct Drivers {
    names: Vec<Utf8PathBuf>,
}

impl Drivers {
    fn below(drivers: &Utf8Path) -> Self {
        let mut names = vec![drivers.to_owned()];
        // An earlier server may have reached it by another way.
        names.extend(drivers.canonicalize_utf8());
        Self { names }
    }

    /// The driver that a process belongs to.
    fn of(&self, pid: i32) -> io::Result<Option<DriverId>> {
        let marked = processes::environment(pid, DriverDir::MARKER)?;
        match marked.and_then(|dir| self.named(&dir)) {
            Some(driver) => Ok(Some(driver)),
            None => self.supervised_by(pid),
        }
    }

    /// The driver of a supervisor.
    fn supervised_by(&self, pid: i32) -> io::Result<Option<DriverId>> {
        let words = processes::command_line(pid)?;
        let [.., verb, dir] = &words[..] else {
            return Ok(None);
        };
        Ok(self.named(dir).filter(|_| verb == SUPERVISE))
    }

    fn named(&self, dir: &[u8]) -> Option<DriverId> {
        let dir = Utf8Path::new(std::str::from_utf8(dir).ok()?);
        let id = DriverId::parse(dir.file_name()?)?;
        let parent = dir.parent()?;
        let is_ours = |name: &Utf8PathBuf| name == parent;
        let canonical = || parent.canonicalize_utf8().ok();
        let ours = self.names.iter().any(is_ours)
            || canonical().is_some_and(|it| self.names.contains(&it));
        ours.then_some(id)
    }
}
