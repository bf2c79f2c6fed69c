//! Memory and processor time of processes of this machine, from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The unit of times in `/proc/<pid>/stat`: Linux shows programs 100 ticks a second.
const TICK: Duration = Duration::from_millis(10);

const MEBIBYTE: f64 = 1024.0;

/// How often a peak is looked for.
const LOOK: Duration = Duration::from_millis(10);

/// A process and all that it has started.
#[derive(Debug, Clone, Copy)]
pub struct Tree(pub u32);

impl Tree {
    /// The processor time of all its processes, with those that have ended and were waited for.
    pub fn cpu(self) -> Result<Duration> {
        let ticks: u64 = self.stats()?.iter().map(|stat| stat.ticks).sum();
        Ok(TICK * u32::try_from(ticks).context("too many ticks")?)
    }

    /// The memory of all its processes in MiB. Shared pages count once.
    pub fn memory(self) -> Result<f64> {
        let stats = self.stats()?;
        let kilobytes = stats.iter().map(|stat| {
            let file = format!("/proc/{}/smaps_rollup", stat.pid);
            // A process may end in the meantime.
            let text = fs::read_to_string(file).unwrap_or_default();
            field(&text, "Pss:").unwrap_or_default()
        });
        Ok(kilobytes.sum::<f64>() / MEBIBYTE)
    }

    fn stats(self) -> Result<Vec<Stat>> {
        let mut all = Vec::new();
        for entry in fs::read_dir("/proc").context("read /proc")? {
            let text = fs::read_to_string(entry?.path().join("stat"));
            all.extend(text.ok().as_deref().and_then(Stat::parse));
        }
        Ok(below(self.0, all))
    }
}

/// The resident memory of one process in MiB.
pub fn resident(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("read the memory of process {pid}"))?;
    let kilobytes = field(&text, "VmRSS:").context("no VmRSS")?;
    Ok(kilobytes / MEBIBYTE)
}

/// The processor time that one process itself has used.
pub fn own_cpu(pid: u32) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"));
    let text = text.with_context(|| format!("read the time of process {pid}"))?;
    let stat = Stat::parse(&text).context("no times")?;
    Ok(TICK * u32::try_from(stat.own_ticks).context("too many ticks")?)
}

/// The most resident memory of a process while the work is done.
pub async fn peak<T>(pid: u32, work: impl Future<Output = T>) -> Result<(T, f64)> {
    let mut most = resident(pid)?;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok((done, most.max(resident(pid)?))),
            () = tokio::time::sleep(LOOK) => most = most.max(resident(pid)?),
        }
    }
}

/// The number after a name in a file of `/proc`.
fn field(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    pid: u32,
    parent: u32,
    /// Its own ticks.
    own_ticks: u64,
    /// These, and the ticks of children that it has waited for.
    ticks: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The name in parentheses may have any characters.
        let (head, tail) = text.rsplit_once(')')?;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let own_ticks = ticks(11)? + ticks(12)?;
        Some(Self {
            pid: head.split_whitespace().next()?.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            own_ticks,
            ticks: own_ticks + ticks(13)? + ticks(14)?,
        })
    }
}

/// A process and its descendants.
fn below(root: u32, all: Vec<Stat>) -> Vec<Stat> {
    let mut children: HashMap<u32, Vec<Stat>> = HashMap::new();
    let mut found = Vec::new();
    for stat in all {
        if stat.pid == root {
            found.push(stat);
        } else {
            children.entry(stat.parent).or_default().push(stat);
        }
    }
    let mut next = 0;
    while let Some(stat) = found.get(next) {
        found.extend(children.remove(&stat.pid).unwrap_or_default());
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(pid: u32, parent: u32) -> Stat {
        Stat {
            pid,
            parent,
            own_ticks: 1,
            ticks: 1,
        }
    }

    #[test]
    fn a_name_may_have_parentheses_and_spaces() {
        let text = "12 (a) b (c)) S 7 12 12 0 -1 4194560 0 0 0 0 5 6 70 800 20 0 1 0";
        let parsed = Stat {
            pid: 12,
            parent: 7,
            own_ticks: 11,
            ticks: 881,
        };
        assert_eq!(Stat::parse(text), Some(parsed));
        assert_eq!(Stat::parse("12 (a"), None);
    }

    #[test]
    fn a_tree_is_the_process_and_all_below_it() {
        let all = vec![stat(4, 3), stat(1, 0), stat(3, 2), stat(5, 1), stat(2, 1)];
        let pids: Vec<u32> = below(2, all).iter().map(|stat| stat.pid).collect();
        assert_eq!(pids, [2, 3, 4]);
    }

    #[tokio::test]
    async fn this_process_has_memory_and_has_used_time() {
        let pid = std::process::id();
        while Tree(pid).cpu().unwrap().is_zero() {}
        assert!(Tree(pid).memory().unwrap() > 0.0);
        let (done, peak) = peak(pid, async { vec![1_u8; 64 << 20] }).await.unwrap();
        assert!(peak >= 64.0, "{peak} with {}", done.len());
    }
}
