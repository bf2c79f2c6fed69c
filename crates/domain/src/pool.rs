//! Drivers that are started before a session asks for one, and the rule that says which of them a
//! request may get.
//!
//! A pool has a template, which is a request for a session. Its drivers have the configuration that
//! such a session would have. [`fit`] compares that configuration with the one that a request wants.
//! A driver serves the request if every setting that differs can be set late.

mod keys;
mod outcome;
mod status;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hours::Hours;
use crate::{Kind, ResourceUse, SessionRequest};
use keys::Lateness;

pub use outcome::{Differs, Passed, PoolOutcome, Why};
pub use status::{PoolCounts, PoolFailure, PoolStatus, PooledDriver, PooledState};

/// How far a pool starts its drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The JVM is up and warm. There is no SparkContext.
    Primed,
    /// The SparkContext and the interpreter are up, and a small job has run.
    Ready,
}

impl Level {
    /// Its name in the configuration and in responses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primed => "primed",
            Self::Ready => "ready",
        }
    }

    /// The memory in bytes that the budget of the pools counts for a driver that waits. It is an
    /// estimate: the driver's own memory is not looked at.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Primed => 500 << 20,
            Self::Ready => 800 << 20,
        }
    }
}

/// A pool as an operator describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The name of the pool.
    pub name: String,
    /// How far its drivers are started.
    pub level: Level,
    /// The sessions that they are for.
    pub request: SessionRequest,
    /// The user that they run as. `None` is the server's own.
    pub user: Option<String>,
    /// The users that may get one. With `groups` empty too, everyone may.
    pub users: Vec<String>,
    /// The groups whose members may get one.
    pub groups: Vec<String>,
    /// How many drivers wait at least.
    pub min: usize,
    /// How many wait at most, when many are asked for.
    pub max: usize,
    /// How old a driver gets in the pool.
    pub max_age: Duration,
    /// When the pool has drivers. `None` is always.
    pub hours: Option<Hours>,
}

/// The configuration of a driver, or the one that a request wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The kind of the session.
    pub kind: Kind,
    /// The Spark configuration, as far as the server knows it: all but the installation's defaults.
    pub conf: BTreeMap<String, String>,
    /// The user that the driver runs as. `None` is the server's own.
    pub user: Option<String>,
    /// The authenticated user that the driver is for. `None` is anyone that its pool serves.
    pub owner: Option<String>,
    /// Rows of an SQL result at most.
    pub sql_max_rows: u64,
    /// How long cancelled code has to end, in milliseconds.
    pub cancel_grace_ms: u64,
    /// A fingerprint of the installation's configuration: its defaults, its environment, its Java.
    pub installation: String,
}

/// The pool of a driver, as the driver's record keeps it. It stays when a session takes the driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pooled {
    /// The name of the pool.
    pub pool: String,
    /// How far the driver was started.
    pub level: Level,
    /// When the pool asked for it. Its age counts from here.
    pub since: Timestamp,
    /// The configuration that it was started with.
    pub configuration: Configuration,
}

/// The settings that a driver gets when a session takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Late {
    /// For a ready driver the SQL settings that differ. For a primed one the whole configuration.
    pub conf: BTreeMap<String, String>,
    /// The files to add to a ready driver, in order.
    pub files: Vec<(ResourceUse, String)>,
}

/// Compares the configuration of a driver with the one that a request wants. Returns the settings to
/// apply late, or the first difference that cannot be applied late.
pub fn fit(level: Level, had: &Configuration, wanted: &Configuration) -> Result<Late, Differs> {
    own_keys(level, had, wanted)?;
    let mut late = Late::default();
    let names: BTreeSet<&String> = had.conf.keys().chain(wanted.conf.keys()).collect();
    for name in names {
        let (before, after) = (had.conf.get(name), wanted.conf.get(name));
        if before == after {
            continue;
        }
        match keys::lateness(
            level,
            name,
            before.map(String::as_str),
            after.map(String::as_str),
        ) {
            Lateness::Fixed => return Err(Differs::of(name, after, before)),
            Lateness::Moot => {}
            Lateness::Setting => {
                late.conf
                    .extend(after.map(|value| (name.clone(), value.clone())));
            }
            Lateness::Files(used_as, added) => {
                late.files
                    .extend(added.into_iter().map(|file| (used_as, file)));
            }
        }
    }
    if level == Level::Primed {
        late.conf.clone_from(&wanted.conf);
    }
    Ok(late)
}

/// The settings that are no keys of Spark's. A driver of one user never serves another one.
fn own_keys(level: Level, had: &Configuration, wanted: &Configuration) -> Result<(), Differs> {
    if had.user != wanted.user {
        return Err(Differs::of(
            "proxyUser",
            wanted.user.as_ref(),
            had.user.as_ref(),
        ));
    }
    if had.owner.is_some() && had.owner != wanted.owner {
        return Err(Differs::of(
            "owner",
            wanted.owner.as_ref(),
            had.owner.as_ref(),
        ));
    }
    if had.installation != wanted.installation {
        return Err(Differs::of(
            "spark-defaults.conf and environment",
            Some(&wanted.installation),
            Some(&had.installation),
        ));
    }
    if level == Level::Primed {
        return Ok(());
    }
    let text = |configuration: &Configuration| {
        [
            configuration.kind.to_string(),
            configuration.sql_max_rows.to_string(),
            format!("{}ms", configuration.cancel_grace_ms),
        ]
    };
    let names = [
        "kind",
        "livy.rsc.sql.num-rows",
        "livy.rsc.job-cancel.timeout",
    ];
    for (name, (before, after)) in names.into_iter().zip(text(had).iter().zip(text(wanted))) {
        if *before != after {
            return Err(Differs::of(name, Some(&after), Some(before)));
        }
    }
    Ok(())
}
