//! `[sessions]`: limits, timeouts, and the behaviour at a shutdown.

use std::time::Duration;

use camino::Utf8Path;
use livius_domain::Limits;
use livius_sessions::{PoolSettings, ShutdownPolicy};

use super::{DEFAULTS, pools, shutdown_policy};
use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{
    Key, Setting, Text, choice, count, duration, duration_or_forever, duration_or_never, size,
    text, within,
};
use crate::config::value::{Base, Raw, Shape, Value};

settings! {
    MAX_LIVE: u64 = count(
        "sessions.max_live",
        1,
        DEFAULTS.live_sessions as u64,
        "How many sessions may live at once. The server refuses further ones as Livy does.",
    );
    MAX_STARTING: u64 = count(
        "sessions.max_starting",
        1,
        DEFAULTS.concurrent_starts as u64,
        "How many drivers start at once. Further sessions wait as `starting`.",
    );
    MAX_WAITING_STATEMENTS: u64 = count(
        "sessions.max_waiting_statements",
        1,
        DEFAULTS.waiting_statements as u64,
        "How many statements may wait in one session. The server refuses further ones.",
    );
    MAX_WAITING_CODE: u64 = size(
        "sessions.max_waiting_code",
        DEFAULTS.waiting_code_bytes as u64,
        "How many bytes of code may wait in all sessions together, and run. The server keeps it in memory. It refuses further code with status 429.",
    );
    IDLE_TIMEOUT: Option<Duration> = duration_or_never(
        "sessions.idle_timeout",
        Some(DEFAULTS.idle_timeout),
        "How long a session may be idle, if its request does not say (`idleTimeout`). 0 means never, too.",
    );
    TTL: Option<Duration> = duration_or_never(
        "sessions.ttl",
        DEFAULTS.session_ttl,
        "How long a session may live, if its request does not say (`ttl`).",
    );
    START_TIMEOUT: Duration = duration_or_forever(
        "sessions.start_timeout",
        DEFAULTS.start_timeout,
        "How long the start of a driver may take. More than 0.",
    );
    STOP_GRACE: Duration = duration(
        "sessions.stop_grace",
        DEFAULTS.stop_grace,
        "How long a driver has to end after the server asked it to stop. Then the server kills it.",
    );
    LINK_GRACE: Duration = duration_or_forever(
        "sessions.link_grace",
        DEFAULTS.link_grace,
        "How long a driver without a connection to the server keeps running, and how long the server waits for it. Sessions survive a restart that is not longer than this.",
    );
    CANCEL_GRACE: Duration = duration(
        "sessions.cancel_grace",
        DEFAULTS.cancel_grace,
        "How long cancelled code has to end after it was interrupted, if the request's `conf` does not say (`livy.rsc.job-cancel.timeout`). Then the server ends the code by force, and Python and R lose their variables. A second cancel does so at once.",
    );
    RETENTION: Duration = duration_or_forever(
        "sessions.retention",
        DEFAULTS.ended_retention,
        "How long ended sessions stay readable. With `never` only their number is limited (`sessions.max_ended`).",
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
        "How many finished statements the server keeps for one session; the oldest go first.",
    );
    MAX_UNFINISHED_JOBS: u64 = within(
        "sessions.max_unfinished_jobs",
        (1, 256),
        DEFAULTS.unfinished_jobs as u64,
        "How many unfinished jobs of the programmatic API one session may have. They run in parallel. The server refuses further ones with status 429.",
    );
    RETAINED_JOBS: u64 = count(
        "sessions.retained_jobs",
        1,
        DEFAULTS.retained_jobs as u64,
        "How many finished jobs, with their results, the server keeps for one session; the oldest go first.",
    );
    RESULTS_LIMIT: u64 = size(
        "sessions.results_limit",
        DEFAULTS.session_results_bytes,
        "How many bytes of results the server keeps for one session: the outputs of its statements and the results of its jobs. The oldest make room for new ones; an error takes their place that says so. Results of up to 4 KiB do not count.",
    );
    TOTAL_RESULTS_LIMIT: u64 = size(
        "sessions.total_results_limit",
        DEFAULTS.results_bytes,
        "How many bytes of results the server keeps for all sessions together, also those that have ended. The server looks once a minute.",
    );
    MAX_PENDING_FILES: u64 = within(
        "sessions.max_pending_files",
        (1, 512),
        DEFAULTS.pending_resources as u64,
        "How many files of one session may wait until its driver fetches them, added or uploaded. The server refuses further ones with status 429.",
    );
    SQL_MAX_ROWS: u64 = count(
        "sessions.sql_max_rows",
        1,
        1_000,
        "The maximum number of rows of an SQL result, if the request's `conf` does not say (`livy.rsc.sql.num-rows`).",
    );
    POOL: Text = choice(
        "sessions.pool",
        &["on", "off"],
        "on",
        "Whether drivers wait for sessions, so that these start faster ([POOLS.md](POOLS.md)). `off` switches all pools off.",
    );
    POOL_MEMORY: Text = text(
        "sessions.pool_memory",
        "auto",
        "How many bytes of memory the drivers that wait for sessions may take together. `auto` is a quarter of what is free. A primed driver counts 500 MiB, a ready one 800 MiB.",
    );
    ON_SHUTDOWN: Text = choice(
        "sessions.on_shutdown",
        &["stop", "keep"],
        "stop",
        "Whether a shutdown stops running sessions (`stop`) or keeps their drivers for the next server (`keep`).",
    );
}

/// The settings of the section that are not limits.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// The most rows of an SQL result.
    pub sql_max_rows: u64,
    /// Stops or keeps running sessions when the server shuts down.
    pub on_shutdown: ShutdownPolicy,
    /// The pools.
    pub pools: PoolSettings,
}

impl SessionSettings {
    /// Reads the section.
    pub fn read(resolved: &Resolved, limits: &mut Limits, problems: &mut Problems) -> Self {
        limits.live_sessions = resolved.count(&MAX_LIVE);
        limits.concurrent_starts = resolved.count(&MAX_STARTING);
        limits.waiting_statements = resolved.count(&MAX_WAITING_STATEMENTS);
        limits.waiting_code_bytes = resolved.count(&MAX_WAITING_CODE);
        // The domain writes "never" as zero.
        limits.idle_timeout = resolved.value(&IDLE_TIMEOUT).unwrap_or(Duration::ZERO);
        limits.session_ttl = resolved.value(&TTL);
        limits.start_timeout = resolved.value(&START_TIMEOUT);
        if limits.start_timeout.is_zero() {
            problems.refuse(
                &START_TIMEOUT,
                "no driver starts at once, so every session would fail: write a longer time, or never",
            );
        }
        limits.stop_grace = resolved.value(&STOP_GRACE);
        limits.link_grace = resolved.value(&LINK_GRACE);
        limits.cancel_grace = resolved.value(&CANCEL_GRACE);
        limits.ended_retention = resolved.value(&RETENTION);
        limits.ended_sessions = resolved.count(&MAX_ENDED);
        limits.retained_statements = resolved.count(&RETAINED_STATEMENTS);
        limits.unfinished_jobs = resolved.count(&MAX_UNFINISHED_JOBS);
        limits.retained_jobs = resolved.count(&RETAINED_JOBS);
        limits.session_results_bytes = resolved.value(&RESULTS_LIMIT);
        limits.results_bytes = resolved.value(&TOTAL_RESULTS_LIMIT);
        limits.pending_resources = resolved.count(&MAX_PENDING_FILES);
        Self {
            sql_max_rows: resolved.value(&SQL_MAX_ROWS),
            on_shutdown: shutdown_policy(&resolved.value(&ON_SHUTDOWN)),
            pools: PoolSettings {
                enabled: resolved.value(&POOL) != "off",
                memory: pool_memory(resolved, problems),
                templates: pools::read(resolved, problems),
                ..PoolSettings::default()
            },
        }
    }
}

/// A number of bytes, or `None` for `auto`.
fn pool_memory(resolved: &Resolved, problems: &mut Problems) -> Option<u64> {
    let text = resolved.value(&POOL_MEMORY);
    if text == "auto" {
        return None;
    }
    let base = Base {
        directory: Utf8Path::new("/"),
        home: None,
    };
    if let Ok(Value::Size(bytes)) = Shape::Size.read(&Raw::One(text.clone().into_owned()), base) {
        return Some(bytes);
    }
    let sentence = format!("{text:?} is neither auto nor a number of bytes such as 2g");
    problems.refuse(&POOL_MEMORY, sentence);
    None
}
