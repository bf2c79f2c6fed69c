//! `[logs]`: the server's own log, and the limit of drivers' logs.

use livius_launch::ExecutorLogLimits;
use tracing_subscriber::EnvFilter;

use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, Text, choice, size, text, within};

settings! {
    FORMAT: Text = choice(
        "logs.format",
        &["text", "json"],
        "text",
        "The format of the log on standard error.",
    );
    LEVEL: Text = text(
        "logs.level",
        "info",
        "The log level: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,livius_sessions=debug`.",
    );
    DRIVER_LIMIT: u64 = size(
        "logs.driver_limit",
        64 << 20,
        "The maximum length of each output of a driver on disk, at least 1 MiB. When a driver writes more, the server removes the middle: the first quarter of the limit and the newest half stay, and a line in the log says so.",
    );
    EXECUTORS: u64 = within(
        "logs.executors",
        (0, 1_000),
        16,
        "The executors of each driver on YARN or Kubernetes whose logs are kept, at most 1000. When more have run, the logs of those that ended first are removed. On Kubernetes each log is a connection to the API server while its executor runs. With 0, no log of an executor can be read.",
    );
    EXECUTOR_LIMIT: u64 = size(
        "logs.executor_limit",
        1 << 20,
        "The maximum length of each output of an executor on disk, at least 64 KiB. The middle is removed as with `logs.driver_limit`.",
    );
}

/// A smaller limit would leave too little of a log to read.
const LEAST_DRIVER_LIMIT: u64 = 1 << 20;
/// The same of an executor's log.
const LEAST_EXECUTOR_LIMIT: u64 = 64 << 10;

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// The settings of the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The format of the log.
    pub format: LogFormat,
    /// The log level, as directives.
    pub level: String,
    /// The most bytes of each output of a driver.
    pub driver_limit: u64,
    /// The limits of the logs of executors.
    pub executors: ExecutorLogLimits,
}

impl LogSettings {
    /// Reads the section.
    pub fn read(resolved: &Resolved, problems: &mut Problems) -> Self {
        let level = resolved.value(&LEVEL).into_owned();
        if let Err(error) = EnvFilter::builder().parse(&level) {
            problems.refuse(
                &LEVEL,
                format!("{level:?} is not a level or a list of directives: {error}"),
            );
        }
        let driver_limit = resolved.value(&DRIVER_LIMIT);
        if driver_limit < LEAST_DRIVER_LIMIT {
            problems.refuse(&DRIVER_LIMIT, "a driver's log needs at least 1 MiB");
        }
        let executors = ExecutorLogLimits {
            most: resolved.count(&EXECUTORS),
            bytes: resolved.value(&EXECUTOR_LIMIT),
        };
        if executors.bytes < LEAST_EXECUTOR_LIMIT {
            problems.refuse(&EXECUTOR_LIMIT, "an executor's log needs at least 64 KiB");
        }
        Self {
            driver_limit,
            executors,
            format: match &*resolved.value(&FORMAT) {
                "json" => LogFormat::Json,
                _ => LogFormat::Text,
            },
            level,
        }
    }
}
