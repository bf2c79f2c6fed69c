//! The bounds of everything.

use std::time::Duration;

/// The limits of the server. Each can be configured.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Sessions that have not ended, at once.
    pub live_sessions: usize,
    /// Drivers that start at once. Further sessions wait as `starting`.
    pub concurrent_starts: usize,
    /// Statements that wait in one session.
    pub waiting_statements: usize,
    /// The code of the unfinished statements of all sessions, in bytes. It is in memory.
    pub waiting_code_bytes: usize,
    /// Finished statements kept for one session.
    pub retained_statements: usize,
    /// Jobs that are not over in one session.
    pub unfinished_jobs: usize,
    /// Jobs that are over and kept for one session.
    pub retained_jobs: usize,
    /// The long results of one session's statements and jobs together, in bytes.
    pub session_results_bytes: u64,
    /// The long results of all sessions together, in bytes.
    pub results_bytes: u64,
    /// An uploaded file, in bytes.
    pub upload_bytes: u64,
    /// Files added to one session that its driver does not have yet.
    pub pending_resources: usize,
    /// Ended sessions that stay listed.
    pub ended_sessions: usize,
    /// The time that ended sessions stay listed.
    pub ended_retention: Duration,
    /// A statement's code, in bytes.
    pub code_bytes: usize,
    /// A request's body, in bytes.
    pub body_bytes: usize,
    /// Keys of requests that are kept.
    pub keys: usize,
    /// The time that keys of requests are kept.
    pub key_retention: Duration,
    /// From the start of the driver until the session is ready.
    pub start_timeout: Duration,
    /// The time that a driver has to end after the server asked it to stop.
    pub stop_grace: Duration,
    /// The time that a driver lives without a link to the server, and the server waits for it.
    pub link_grace: Duration,
    /// The time that cancelled code has to end before its interpreter is ended, if the request does
    /// not say.
    pub cancel_grace: Duration,
    /// The time that a session may be idle, if the request does not say.
    pub idle_timeout: Duration,
    /// The time that a session may live, if the request does not say; `None` is without a limit.
    pub session_ttl: Option<Duration>,
    /// Batches that start at once. Further batches wait as `starting`.
    pub concurrent_batch_starts: usize,
    /// Batches that have a process at once. Further batches wait as `starting`.
    pub running_batches: usize,
    /// Batches that wait for their turn.
    pub waiting_batches: usize,
    /// The requests of all batches that have not ended, in bytes. They are in memory.
    pub batch_requests_bytes: usize,
    /// Ended batches that stay listed.
    pub ended_batches: usize,
    /// The time that ended batches stay listed.
    pub ended_batch_retention: Duration,
    /// From SIGTERM to a batch's process until SIGKILL.
    pub batch_grace: Duration,
}

impl Limits {
    /// The defaults, which the documentation of the configuration shows too.
    pub const DEFAULT: Self = Self {
        live_sessions: 100,
        concurrent_starts: 4,
        waiting_statements: 1_000,
        waiting_code_bytes: 1 << 30,
        retained_statements: 1_000,
        unfinished_jobs: 64,
        retained_jobs: 1_000,
        session_results_bytes: 1 << 30,
        results_bytes: 10 << 30,
        upload_bytes: 100 << 20,
        pending_resources: 100,
        ended_sessions: 1_000,
        ended_retention: Duration::from_hours(24),
        code_bytes: 32 << 20,
        body_bytes: 64 << 20,
        keys: 100_000,
        key_retention: Duration::from_hours(24),
        start_timeout: Duration::from_mins(10),
        stop_grace: Duration::from_secs(10),
        link_grace: Duration::from_mins(10),
        cancel_grace: Duration::from_secs(30),
        idle_timeout: Duration::from_hours(1),
        session_ttl: None,
        concurrent_batch_starts: 4,
        running_batches: 100,
        waiting_batches: 10_000,
        batch_requests_bytes: 256 << 20,
        ended_batches: 10_000,
        ended_batch_retention: Duration::from_hours(7 * 24),
        batch_grace: Duration::from_secs(10),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
