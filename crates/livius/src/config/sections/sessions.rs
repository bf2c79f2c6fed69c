//! `[sessions]`: how many, how long, and what a shutdown does with them.

use std::time::Duration;

use livius_domain::Limits;
use livius_sessions::ShutdownPolicy;

use super::{DEFAULTS, shutdown_policy};
use crate::config::resolved::Resolved;
use crate::config::setting::{
    Key, Setting, Text, choice, count, duration, duration_or_never, within,
};

settings! {
    MAX_LIVE: u64 = count(
        "sessions.max_live",
        1,
        DEFAULTS.live_sessions as u64,
        "Sessions that have not ended, at once. More are refused as Livy refuses them.",
    );
    MAX_STARTING: u64 = count(
        "sessions.max_starting",
        1,
        DEFAULTS.concurrent_starts as u64,
        "Drivers that are being started at once. More wait their turn as `starting`.",
    );
    MAX_WAITING_STATEMENTS: u64 = count(
        "sessions.max_waiting_statements",
        1,
        DEFAULTS.waiting_statements as u64,
        "Statements that wait in one session. More are refused.",
    );
    IDLE_TIMEOUT: Option<Duration> = duration_or_never(
        "sessions.idle_timeout",
        Some(DEFAULTS.idle_timeout),
        "How long a session may be idle, where its request does not say (`idleTimeout`).",
    );
    TTL: Option<Duration> = duration_or_never(
        "sessions.ttl",
        DEFAULTS.session_ttl,
        "How long a session may live, where its request does not say (`ttl`).",
    );
    START_TIMEOUT: Duration = duration(
        "sessions.start_timeout",
        DEFAULTS.start_timeout,
        "How long the start of a driver may take.",
    );
    STOP_GRACE: Duration = duration(
        "sessions.stop_grace",
        DEFAULTS.stop_grace,
        "From asking a driver to stop until it is made to.",
    );
    LINK_GRACE: Duration = duration(
        "sessions.link_grace",
        DEFAULTS.link_grace,
        "How long a driver lives on, and is waited for, without a link to the server: the longest restart that sessions survive.",
    );
    RETENTION: Duration = duration(
        "sessions.retention",
        DEFAULTS.ended_retention,
        "How long ended sessions stay readable.",
    );
    MAX_ENDED: u64 = count(
        "sessions.max_ended",
        0,
        DEFAULTS.ended_sessions as u64,
        "How many ended sessions stay readable; the oldest go first.",
    );
    RETAINED_STATEMENTS: u64 = count(
        "sessions.retained_statements",
        1,
        DEFAULTS.retained_statements as u64,
        "Finished statements that are kept for one session; the oldest go first.",
    );
    MAX_UNFINISHED_JOBS: u64 = within(
        "sessions.max_unfinished_jobs",
        (1, 256),
        DEFAULTS.unfinished_jobs as u64,
        "Jobs of the programmatic API that are not over, in one session. They run side by side. More are refused with status 429.",
    );
    RETAINED_JOBS: u64 = count(
        "sessions.retained_jobs",
        1,
        DEFAULTS.retained_jobs as u64,
        "Jobs that are over and are kept, with their results, for one session; the oldest go first.",
    );
    MAX_PENDING_FILES: u64 = within(
        "sessions.max_pending_files",
        (1, 512),
        DEFAULTS.pending_resources as u64,
        "Files that were added or uploaded to one session and that its driver does not have yet. More are refused with status 429.",
    );
    SQL_MAX_ROWS: u64 = count(
        "sessions.sql_max_rows",
        1,
        1_000,
        "Rows of an SQL result at most, where the request's `conf` does not say (`livy.rsc.sql.num-rows`).",
    );
    ON_SHUTDOWN: Text = choice(
        "sessions.on_shutdown",
        &["stop", "keep"],
        "stop",
        "What a shutdown does with running sessions: stop them, or keep their drivers for the next server.",
    );
}

/// The settings of the section that are no limits.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// The most rows of an SQL result.
    pub sql_max_rows: u64,
    /// What a shutdown does with sessions.
    pub on_shutdown: ShutdownPolicy,
}

impl SessionSettings {
    /// Reads the section.
    pub fn read(resolved: &Resolved, limits: &mut Limits) -> Self {
        limits.live_sessions = resolved.count(&MAX_LIVE);
        limits.concurrent_starts = resolved.count(&MAX_STARTING);
        limits.waiting_statements = resolved.count(&MAX_WAITING_STATEMENTS);
        // The domain writes "never" as zero.
        limits.idle_timeout = resolved.value(&IDLE_TIMEOUT).unwrap_or(Duration::ZERO);
        limits.session_ttl = resolved.value(&TTL);
        limits.start_timeout = resolved.value(&START_TIMEOUT);
        limits.stop_grace = resolved.value(&STOP_GRACE);
        limits.link_grace = resolved.value(&LINK_GRACE);
        limits.ended_retention = resolved.value(&RETENTION);
        limits.ended_sessions = resolved.count(&MAX_ENDED);
        limits.retained_statements = resolved.count(&RETAINED_STATEMENTS);
        limits.unfinished_jobs = resolved.count(&MAX_UNFINISHED_JOBS);
        limits.retained_jobs = resolved.count(&RETAINED_JOBS);
        limits.pending_resources = resolved.count(&MAX_PENDING_FILES);
        Self {
            sql_max_rows: resolved.value(&SQL_MAX_ROWS),
            on_shutdown: shutdown_policy(&resolved.value(&ON_SHUTDOWN)),
        }
    }
}
