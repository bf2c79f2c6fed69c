//! Reads the process table in `/proc`.

use std::collections::BTreeSet;
use std::{fs, io};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

/// A line of the process table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its parent process.
    pub parent: i32,
    /// True if it has ended and its parent has not waited for it yet.
    pub zombie: bool,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
}

/// Looks one process up. `None` when it is certainly not there: that it cannot be looked at, for
/// example because no file descriptor is free, is an error.
pub fn look_up(pid: i32) -> io::Result<Option<Process>> {
    let stat = present(fs::read(format!("/proc/{pid}/stat")))?;
    match stat {
        Some(stat) => parse_stat(pid, &String::from_utf8_lossy(&stat))
            .map(Some)
            .ok_or_else(|| unreadable(&format!("/proc/{pid}/stat"))),
        None if fs::exists("/proc/self/stat")? => Ok(None),
        None => Err(unreadable("/proc")),
    }
}

/// Lists all processes.
pub fn all() -> io::Result<Vec<Process>> {
    let mut table = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let pid = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(pid) = pid {
            table.extend(look_up(pid)?);
        }
    }
    if table.is_empty() {
        return Err(unreadable("/proc"));
    }
    Ok(table)
}

/// Lists the descendants of the given processes, without these processes and without zombies.
pub fn descendants(roots: &BTreeSet<i32>) -> io::Result<Vec<Process>> {
    let table = all()?;
    let mut family = roots.clone();
    loop {
        let before = family.len();
        family.extend(
            table
                .iter()
                .filter(|process| family.contains(&process.parent))
                .map(|p| p.pid)
                .collect::<Vec<_>>(),
        );
        if family.len() == before {
            break;
        }
    }
    Ok(table
        .into_iter()
        .filter(|p| !p.zombie && family.contains(&p.pid) && !roots.contains(&p.pid))
        .collect())
}

/// Whether the process was started with this environment entry (`NAME=value`). The environment of
/// another user's process cannot be read, and has no entry of ours.
pub fn has_environment(pid: i32, entry: &str) -> io::Result<bool> {
    let environ = read_own(&format!("/proc/{pid}/environ"))?;
    Ok(environ
        .split(|byte| *byte == 0)
        .any(|found| found == entry.as_bytes()))
}

/// The value of a variable that the process was started with. `None` if it has none, or is another
/// user's.
pub fn environment(pid: i32, name: &str) -> io::Result<Option<Vec<u8>>> {
    let environ = read_own(&format!("/proc/{pid}/environ"))?;
    let mut entries = environ.split(|byte| *byte == 0);
    let value = |entry: &[u8]| {
        Some(
            entry
                .strip_prefix(name.as_bytes())?
                .strip_prefix(b"=")?
                .to_vec(),
        )
    };
    Ok(entries.find_map(value))
}

/// The words of the process's command line. None if it is gone, or another user's.
pub fn command_line(pid: i32) -> io::Result<Vec<Vec<u8>>> {
    let text = read_own(&format!("/proc/{pid}/cmdline"))?;
    let text = text.strip_suffix(b"\0").unwrap_or(&text);
    Ok(text.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect())
}

/// The name that the kernel gives to the time since the machine was last started. `None` on a system
/// without such names.
pub fn boot_id() -> io::Result<Option<String>> {
    let name = present(fs::read_to_string("/proc/sys/kernel/random/boot_id"))?;
    Ok(name.map(|name| name.trim().to_owned()))
}

/// Reads a file of a process. That of a process that is gone, or of another user, is empty.
fn read_own(path: &str) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Vec::new()),
        read => Ok(present(read)?.unwrap_or_default()),
    }
}

/// `None` for a process, or its file, that is not there. No other error says so.
fn present<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(error) if is_absence(&error) => Ok(None),
        read => read.map(Some),
    }
}

fn is_absence(error: &io::Error) -> bool {
    let absence = [Errno::NOENT, Errno::SRCH].map(Errno::raw_os_error);
    error
        .raw_os_error()
        .is_some_and(|code| absence.contains(&code))
}

fn unreadable(path: &str) -> io::Error {
    io::Error::other(format!("{path} cannot be read"))
}

/// Sends a signal. A process that is gone is not an error.
pub fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // The only other error is EPERM, for a process that changed its user. We cannot end that
        // one.
        let _ = kill_process(pid, signal);
    }
}

/// Field 2, the program's name, may contain blanks and parentheses. The text after the last `)` is
/// safe to split.
fn parse_stat(pid: i32, stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Process {
        pid,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_cannot_confuse_the_parser() {
        let stat = "42 (a) Z 1 (b) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 1 1";
        let expected = Process {
            pid: 42,
            parent: 7,
            zombie: false,
            start_ticks: 123_456,
        };
        assert_eq!(parse_stat(42, stat), Some(expected));
        assert_eq!(parse_stat(42, "42 (short) S 7"), None);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let own = i32::try_from(std::process::id()).unwrap();
        let process = look_up(own).unwrap().unwrap();
        assert!(all().unwrap().contains(&process));
        let family = descendants(&BTreeSet::from([process.parent])).unwrap();
        assert!(family.contains(&process));
        assert!(!has_environment(own, "LIVIUS_NO_SUCH=entry").unwrap());
        assert_eq!(environment(own, "LIVIUS_NO_SUCH").unwrap(), None);
        let words = command_line(own).unwrap();
        let program = std::env::args().next().unwrap();
        assert_eq!(words[0], program.as_bytes());
        let path = environment(own, "PATH").unwrap().unwrap();
        let own = std::env::vars().find(|(name, _)| name == "PATH").unwrap().1;
        assert_eq!(path, own.as_bytes());
    }

    #[test]
    fn only_an_absent_process_is_absent() {
        assert_eq!(look_up(i32::MAX).unwrap(), None);
        assert!(!has_environment(i32::MAX, "A=b").unwrap());
        let of = |errno: Errno| present::<()>(Err(errno.into()));
        for errno in [Errno::NOENT, Errno::SRCH] {
            assert_eq!(of(errno).unwrap(), None, "{errno}");
        }
        for errno in [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::ACCESS,
            Errno::IO,
        ] {
            assert!(of(errno).is_err(), "{errno}");
        }
    }
}
