//! The processes of a container, seen from the machine.

use std::collections::BTreeMap;
use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// A process and all that descend from it. A namespace of processes gives orphans to its first
/// process, so none of them is lost.
pub fn family(first: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = number else { continue };
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut family = vec![first];
    let mut next = 0;
    while let Some(pid) = family.get(next) {
        family.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    family
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program is in parentheses, and may have any characters.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

/// Tells whether processes have more memory now than a limit in bytes.
///
/// The first sum counts shared memory once for each process, and is cheap. The kernel has to walk
/// through all pages for the second one, so it is only asked if the first one exceeds the limit.
pub fn exceeds(pids: &[u32], limit: u64) -> bool {
    let sum = |file: &str, key: &str| {
        let bytes = |pid: &u32| {
            let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
            let line = text.lines().find(|line| line.starts_with(key))?;
            let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kilobytes * 1024)
        };
        pids.iter().filter_map(bytes).sum::<u64>()
    };
    sum("status", "VmRSS:") > limit && sum("smaps_rollup", "Pss:") > limit
}

/// Sends a signal to the first process of the container that a process has made. The kernel ends
/// the others when the first one has ended.
pub fn signal_container(maker: u32, signal: Signal) {
    let first = family(maker).into_iter().nth(1);
    let target = match (first, signal) {
        (Some(first), _) => first,
        // The container is not made yet.
        (None, Signal::KILL) => maker,
        (None, _) => return,
    };
    if let Some(pid) = i32::try_from(target).ok().and_then(Pid::from_raw) {
        // It may have ended in between.
        let _ = kill_process(pid, signal);
    }
}
