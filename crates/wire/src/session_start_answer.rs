//! The start of a session: its phases, and what the pools did for it.

use livius_domain::pool::{Passed, PoolOutcome, Why};
use livius_domain::{SessionRecord, StartStep};
use serde::Serialize;
use utoipa::ToSchema;

/// The start of a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionStart)]
pub struct SessionStartAnswer<'a> {
    /// What the pools did for it. `null` if an earlier version of the server created it.
    pool: Option<StartPoolAnswer<'a>>,
    /// Its phases, in their order. A list of sessions leaves them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    phases: Option<Vec<StartStepAnswer>>,
}

/// A phase of the start of a session. A driver of a pool has had some phases before: they are left out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StartStep)]
pub struct StartStepAnswer {
    /// `queued`, `launching`, `connecting` (the driver's process runs), `context` (the SparkContext is
    /// being created), `interpreter` (the SparkContext is up), or `ready`.
    phase: &'static str,
    /// When it began.
    began_at: String,
    /// How long it took, in seconds. `null` while it lasts, and for `ready`.
    seconds: Option<f64>,
}

/// What the pools did for a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StartPool)]
pub struct StartPoolAnswer<'a> {
    /// `hit`, `miss`, or `off` when there are no pools.
    outcome: &'a str,
    /// The pool that the driver came from.
    pool: Option<&'a str>,
    /// How far the driver had been started: `ready` or `primed`.
    level: Option<&'a str>,
    /// Why each pool had no driver.
    misses: Vec<PoolMissAnswer<'a>>,
}

/// Why a pool had no driver for a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PoolMiss)]
pub struct PoolMissAnswer<'a> {
    /// The pool.
    pool: &'a str,
    /// `differs`, `empty`, `not_allowed`, `closed` or `refused`.
    reason: &'a str,
    /// The key that differed.
    key: Option<&'a str>,
    /// The value that the request wanted, without secrets.
    wanted: Option<&'a str>,
    /// The value that would have hit, without secrets.
    had: Option<&'a str>,
    /// The reason in words for people.
    message: String,
}

impl<'a> SessionStartAnswer<'a> {
    /// Shows the start of a session without its phases.
    pub(crate) fn new(record: &'a SessionRecord) -> Self {
        Self {
            pool: record.pool.as_deref().map(StartPoolAnswer::new),
            phases: None,
        }
    }

    /// Adds the phases.
    pub(crate) fn with(self, steps: &[StartStep]) -> Self {
        let phases = steps.iter().map(StartStepAnswer::new).collect();
        Self {
            phases: Some(phases),
            ..self
        }
    }
}

impl StartStepAnswer {
    fn new(step: &StartStep) -> Self {
        let took = |ended| step.began.until(ended).ok()?.total(jiff::Unit::Second).ok();
        Self {
            phase: step.phase.as_str(),
            began_at: step.began.to_string(),
            seconds: step.ended.and_then(took),
        }
    }
}

impl<'a> StartPoolAnswer<'a> {
    pub(crate) fn new(outcome: &'a PoolOutcome) -> Self {
        let without = |outcome| Self {
            outcome,
            pool: None,
            level: None,
            misses: Vec::new(),
        };
        match outcome {
            PoolOutcome::Off => without("off"),
            PoolOutcome::Hit { pool, level } => Self {
                pool: Some(pool),
                level: Some(level.as_str()),
                ..without("hit")
            },
            PoolOutcome::Miss { pools } => Self {
                misses: pools.iter().map(PoolMissAnswer::new).collect(),
                ..without("miss")
            },
        }
    }
}

impl<'a> PoolMissAnswer<'a> {
    fn new(passed: &'a Passed) -> Self {
        let differs = match &passed.why {
            Why::Differs(differs) => Some(differs),
            _ => None,
        };
        Self {
            pool: &passed.pool,
            reason: passed.why.name(),
            key: differs.map(|differs| differs.key.as_str()),
            wanted: differs.and_then(|differs| differs.wanted.as_deref()),
            had: differs.and_then(|differs| differs.had.as_deref()),
            message: passed.why.to_string(),
        }
    }
}
