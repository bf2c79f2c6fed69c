//! `[batches]`: limits, timeouts, and the behaviour at a shutdown.

use std::time::Duration;

use livius_domain::Limits;
use livius_sessions::ShutdownPolicy;

use super::{DEFAULTS, shutdown_policy};
use crate::config::resolved::Resolved;
use crate::config::setting::{
    Key, Setting, Text, choice, count, duration, duration_or_forever, size,
};

settings! {
    MAX_STARTING: u64 = count(
        "batches.max_starting",
        1,
        DEFAULTS.concurrent_batch_starts as u64,
        "How many batches start at once. Further batches wait as `starting`, first come, first served.",
    );
    MAX_RUNNING: u64 = count(
        "batches.max_running",
        1,
        DEFAULTS.running_batches as u64,
        "How many batches have a process at once. Further batches wait as `starting`, first come, first served.",
    );
    MAX_WAITING: u64 = count(
        "batches.max_waiting",
        1,
        DEFAULTS.waiting_batches as u64,
        "How many batches may wait to be started. The server refuses further ones with status 429.",
    );
    REQUESTS_LIMIT: u64 = size(
        "batches.requests_limit",
        DEFAULTS.batch_requests_bytes as u64,
        "How many bytes the requests of all batches that have not ended may have together. The server keeps them in memory. It refuses further ones with status 429.",
    );
    STOP_GRACE: Duration = duration(
        "batches.stop_grace",
        DEFAULTS.batch_grace,
        "How long a batch's process has to end after SIGTERM. Then the server sends SIGKILL.",
    );
    RETENTION: Duration = duration_or_forever(
        "batches.retention",
        DEFAULTS.ended_batch_retention,
        "How long ended batches stay readable. With `never` only their number is limited (`batches.max_ended`).",
    );
    MAX_ENDED: u64 = count(
        "batches.max_ended",
        0,
        DEFAULTS.ended_batches as u64,
        "How many ended batches stay readable; the oldest go first.",
    );
    ON_SHUTDOWN: Text = choice(
        "batches.on_shutdown",
        &["keep", "stop"],
        "keep",
        "Whether a shutdown leaves running batches to the next server (`keep`) or ends them (`stop`). Batches that wait for their start keep waiting in both cases.",
    );
}

/// The settings of the section that are not limits.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    /// Keeps or stops running batches when the server shuts down.
    pub on_shutdown: ShutdownPolicy,
}

impl BatchSettings {
    /// Reads the section.
    pub fn read(resolved: &Resolved, limits: &mut Limits) -> Self {
        limits.concurrent_batch_starts = resolved.count(&MAX_STARTING);
        limits.running_batches = resolved.count(&MAX_RUNNING);
        limits.waiting_batches = resolved.count(&MAX_WAITING);
        limits.batch_requests_bytes = resolved.count(&REQUESTS_LIMIT);
        limits.batch_grace = resolved.value(&STOP_GRACE);
        limits.ended_batch_retention = resolved.value(&RETENTION);
        limits.ended_batches = resolved.count(&MAX_ENDED);
        Self {
            on_shutdown: shutdown_policy(&resolved.value(&ON_SHUTDOWN)),
        }
    }
}
