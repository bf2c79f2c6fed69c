//! What the kernel tells of this process.

/// The memory of this process that is in RAM, in bytes. `None` where the kernel does not tell.
pub fn resident_bytes() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = text.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(i64::try_from(rustix::param::page_size()).ok()?)
}
