//! The memory of large requests goes back to the system.

/// Blocks of at least this length are the system's own mappings, which end when they are freed.
#[cfg(target_env = "gnu")]
const OWN_MAPPING_BYTES: i32 = 1 << 20;

/// Fixes the length from which on glibc gives a block a mapping of its own. Otherwise glibc raises it
/// to 32 MiB when such blocks are freed, and keeps the bodies of requests in heaps for ever (ADR
/// 0020).
#[cfg(target_env = "gnu")]
pub fn return_large_blocks() {
    #[expect(
        unsafe_code,
        reason = "mallopt takes two numbers, and no thread runs yet that could allocate at the same time"
    )]
    // SAFETY: as the reason says.
    let is_set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES) } == 1;
    if !is_set {
        tracing::warn!("the memory of large requests stays with the server");
    }
}

/// Other C libraries do so by themselves.
#[cfg(not(target_env = "gnu"))]
pub fn return_large_blocks() {}
