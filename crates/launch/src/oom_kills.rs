//! The kernel's count of processes that it killed for lack of memory.

use std::fs;

/// Processes that the kernel has killed since the machine started, in all containers. `None` if it
/// does not count them: Linux does since 4.13.
pub(crate) fn so_far() -> Option<u64> {
    count(&fs::read_to_string("/proc/vmstat").ok()?)
}

fn count(vmstat: &str) -> Option<u64> {
    let mut lines = vmstat.lines();
    lines
        .find_map(|line| line.strip_prefix("oom_kill "))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_found() {
        assert_eq!(count("nr_free_pages 5\noom_kill 3\npgpgin 7\n"), Some(3));
        assert_eq!(count("nr_free_pages 5\n"), None);
        assert_eq!(count("oom_kill x\n"), None);
    }
}
