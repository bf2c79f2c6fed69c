//! Reads the process table in `/proc`.

use std::collections::BTreeSet;
use std::fs;

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

/// Looks one process up.
pub fn look_up(pid: i32) -> Option<Process> {
    parse_stat(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Lists all processes.
pub fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| look_up(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// Lists the descendants of the given processes, without these processes and without zombies.
pub fn descendants(roots: &BTreeSet<i32>) -> Vec<Process> {
    let table = all();
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
    table
        .into_iter()
        .filter(|p| !p.zombie && family.contains(&p.pid) && !roots.contains(&p.pid))
        .collect()
}

/// Tells whether the process was started with this environment entry (`NAME=value`).
pub fn has_environment(pid: i32, entry: &str) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
        environ
            .split(|byte| *byte == 0)
            .any(|found| found == entry.as_bytes())
    })
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
        let process = look_up(own).unwrap();
        assert!(all().contains(&process));
        assert!(descendants(&BTreeSet::from([process.parent])).contains(&process));
    }
}
