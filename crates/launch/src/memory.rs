//! The memory that this machine, or the container that the server runs in, could still give.

use std::fs;

/// Where the limits of a container are.
const CGROUP: &str = "/sys/fs/cgroup";

/// The memory in bytes that is free, or is freed when it is needed. `None` if the system does not
/// tell.
pub(crate) fn free() -> Option<u64> {
    let of_machine = available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    Some(in_container().map_or(of_machine, |left| left.min(of_machine)))
}

/// The line of `/proc/meminfo`, which counts in KiB.
fn available(facts: &str) -> Option<u64> {
    let mut lines = facts.lines();
    let line = lines.find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib << 10)
}

/// What the container's limit leaves. `None` without a limit.
fn in_container() -> Option<u64> {
    let read = |name: &str| fs::read_to_string(format!("{CGROUP}/{name}")).ok();
    let of = |limit, used, statistics, reclaimable| {
        left(&read(limit)?, &read(used)?, &read(statistics)?, reclaimable)
    };
    of(
        "memory.max",
        "memory.current",
        "memory.stat",
        "inactive_file ",
    )
    .or_else(|| {
        of(
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file ",
        )
    })
}

/// The limit without what is used. Files that nobody reads are given back when memory is needed.
fn left(limit: &str, used: &str, statistics: &str, reclaimable: &str) -> Option<u64> {
    let limit: u64 = limit.trim().parse().ok()?;
    let used: u64 = used.trim().parse().ok()?;
    let mut lines = statistics.lines();
    let idle = lines.find_map(|line| line.strip_prefix(reclaimable)?.trim().parse().ok());
    Some(limit.saturating_sub(used.saturating_sub(idle.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_its_free_memory() {
        assert!(free().expect("a number") > 0);
    }

    #[test]
    fn both_files_are_understood() {
        let facts = "MemTotal:  16 kB\nMemFree: 1 kB\nMemAvailable:    3 kB\n";
        assert_eq!(available(facts), Some(3 << 10));
        assert_eq!(available("MemTotal: 16 kB"), None);
        let statistics = "anon 5\ninactive_file 20\nactive_file 1\n";
        for (limit, used, expected) in [
            ("100\n", "50\n", Some(70)),
            ("100\n", "150\n", Some(0)),
            ("max\n", "50\n", None),
        ] {
            let found = left(limit, used, statistics, "inactive_file ");
            assert_eq!(found, expected, "{limit}");
        }
    }
}
