//! The result of a request's search for a driver in the pools.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Level;
use crate::redact;

/// The longest value that a reason shows, in characters.
const SHOWN_CHARS: usize = 200;

/// The result of the search for one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum PoolOutcome {
    /// There are no pools.
    Off,
    /// The session got a driver of a pool.
    Hit {
        /// The name of the pool.
        pool: String,
        /// How far the driver had been started.
        level: Level,
    },
    /// No pool had a driver for it.
    Miss {
        /// Why, by pool.
        pools: Vec<Passed>,
    },
}

/// A pool that had no driver for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// The name of the pool.
    pub pool: String,
    /// The reason.
    pub why: Why,
}

/// Why a pool had no driver for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Why {
    /// A setting of its drivers differs that cannot be set late.
    Differs(Differs),
    /// The pool would have served the request, and no driver was waiting.
    Empty,
    /// The pool serves other users.
    NotAllowed,
    /// The pool has other hours.
    Closed,
    /// The driver could not be had.
    Refused {
        /// What happened.
        message: String,
    },
}

/// A setting that differs. Values are shown without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differs {
    /// The key.
    pub key: String,
    /// The value that the request wants. `None` is none.
    pub wanted: Option<String>,
    /// The value of the pool's drivers.
    pub had: Option<String>,
}

impl Differs {
    /// A setting that differs, with its values as they may be shown.
    pub(super) fn of(key: &str, wanted: Option<&String>, had: Option<&String>) -> Self {
        let show = |value: &String| shortened(redact::value(key, value));
        Self {
            key: key.to_owned(),
            wanted: wanted.map(show),
            had: had.map(show),
        }
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS) {
        None => value.to_owned(),
        Some((at, _)) => format!("{}…", &value[..at]),
    }
}

impl Why {
    /// A name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Differs(_) => "differs",
            Self::Empty => "empty",
            Self::NotAllowed => "not_allowed",
            Self::Closed => "closed",
            Self::Refused { .. } => "refused",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(differs) => differs.fmt(f),
            Self::Empty => f.write_str("no driver was waiting"),
            Self::NotAllowed => f.write_str("it serves other users"),
            Self::Closed => f.write_str("it has no drivers at this hour"),
            Self::Refused { message } => write!(f, "its driver could not be had: {message}"),
        }
    }
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<String>| match value {
            Some(value) => Cow::Owned(format!("{value:?}")),
            None => Cow::Borrowed("not set"),
        };
        write!(
            f,
            "{} is {} here and {} in the pool, and cannot be set late",
            self.key,
            value(&self.wanted),
            value(&self.had)
        )
    }
}

impl fmt::Display for PoolOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("there are no pools"),
            Self::Hit { pool, level } => {
                write!(
                    f,
                    "the session got a {} driver of pool {pool}",
                    level.as_str()
                )
            }
            Self::Miss { pools } if pools.is_empty() => f.write_str("no pool has a driver yet"),
            Self::Miss { pools } => {
                f.write_str("no pool had a driver for this session")?;
                for (index, passed) in pools.iter().enumerate() {
                    let sign = if index == 0 { ":" } else { ";" };
                    write!(f, "{sign} pool {}: {}", passed.pool, passed.why)?;
                }
                Ok(())
            }
        }
    }
}
