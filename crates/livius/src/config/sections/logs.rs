//! `[logs]`: the server's own log.

use tracing_subscriber::EnvFilter;

use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, Text, choice, text};

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
}

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
        Self {
            format: match &*resolved.value(&FORMAT) {
                "json" => LogFormat::Json,
                _ => LogFormat::Text,
            },
            level,
        }
    }
}
