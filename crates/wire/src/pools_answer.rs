//! `GET /api/v1/pools`, our own route: the drivers that wait for sessions, and what came of requests.

use livius_domain::pool::{PoolFailure, PoolStatus, PooledDriver};
use serde::Serialize;
use utoipa::ToSchema;

/// Every pool. Without pools the list is empty.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pools)]
pub struct PoolsAnswer<'a> {
    /// The pools, in the order in which a request looks at them.
    pools: Vec<PoolAnswer<'a>>,
}

/// A pool.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Pool)]
pub struct PoolAnswer<'a> {
    /// Its name.
    name: &'a str,
    /// How far its drivers are started: `ready` or `primed`.
    level: &'a str,
    /// How many drivers it wants to have now.
    wanted: usize,
    /// How many it has at most.
    max: usize,
    /// Whether its hours allow drivers now.
    open: bool,
    /// What it waits for, if it starts fewer drivers than it wants.
    waits_for: Option<&'a str>,
    /// Its drivers.
    drivers: Vec<PooledDriverAnswer<'a>>,
    /// The sessions that got a driver since the server started.
    hits: u64,
    /// The sessions that did not.
    misses: u64,
    /// Why they did not, most frequent first.
    reasons: Vec<MissReasonAnswer<'a>>,
    /// The last start that failed. `null` when one has succeeded since.
    last_failure: Option<PoolFailureAnswer<'a>>,
}

/// A driver of a pool.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PooledDriver)]
pub struct PooledDriverAnswer<'a> {
    /// Its name.
    id: &'a str,
    /// `starting`, `waiting`, or `away` when it is not connected.
    state: &'a str,
    /// When the pool asked for it, in UTC, in RFC 3339 format.
    since: String,
}

/// A reason for misses.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MissReason)]
pub struct MissReasonAnswer<'a> {
    /// `differs`, `empty`, `not_allowed`, `closed` or `refused`.
    reason: &'a str,
    /// The key that differed.
    key: Option<&'a str>,
    /// How often.
    count: u64,
}

/// A start that failed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PoolFailure)]
pub struct PoolFailureAnswer<'a> {
    /// When.
    at: String,
    /// The reason.
    message: &'a str,
    /// How many starts have failed in a row.
    in_a_row: u32,
    /// When the pool tries again. Null if no start can succeed before Spark's configuration changes.
    next_try: Option<String>,
}

impl<'a> PoolsAnswer<'a> {
    /// Shows the pools.
    pub fn new(pools: &'a [PoolStatus]) -> Self {
        Self {
            pools: pools.iter().map(PoolAnswer::new).collect(),
        }
    }
}

impl<'a> PoolAnswer<'a> {
    fn new(pool: &'a PoolStatus) -> Self {
        let reasons = pool.counts.reasons.iter();
        let reasons = reasons.map(|(reason, key, count)| MissReasonAnswer {
            reason,
            key: key.as_deref(),
            count: *count,
        });
        let mut reasons: Vec<_> = reasons.collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
        Self {
            name: &pool.name,
            level: pool.level.as_str(),
            wanted: pool.wanted,
            max: pool.max,
            open: pool.is_open,
            waits_for: pool.waits_for,
            drivers: pool.drivers.iter().map(PooledDriverAnswer::new).collect(),
            hits: pool.counts.hits,
            misses: pool.counts.misses,
            reasons,
            last_failure: pool.last_failure.as_ref().map(PoolFailureAnswer::new),
        }
    }
}

impl<'a> PooledDriverAnswer<'a> {
    fn new(driver: &'a PooledDriver) -> Self {
        Self {
            id: driver.id.as_str(),
            state: driver.state.as_str(),
            since: driver.since.to_string(),
        }
    }
}

impl<'a> PoolFailureAnswer<'a> {
    fn new(failure: &'a PoolFailure) -> Self {
        Self {
            at: failure.at.to_string(),
            message: &failure.message,
            in_a_row: failure.in_a_row,
            next_try: failure.next_try.map(|next| next.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use livius_domain::DriverId;
    use livius_domain::pool::{Level, PoolCounts, PooledState};

    use super::*;

    #[test]
    fn a_pool_tells_its_drivers_and_why_requests_missed() {
        let differs = |key: &str, count| ("differs", Some(key.to_owned()), count);
        let pool = PoolStatus {
            name: "small".to_owned(),
            level: Level::Ready,
            wanted: 2,
            max: 4,
            is_open: true,
            waits_for: Some("memory"),
            drivers: vec![PooledDriver {
                id: DriverId::for_pool([1; 6]),
                since: Timestamp::UNIX_EPOCH,
                state: PooledState::Waiting,
            }],
            counts: PoolCounts {
                hits: 7,
                misses: 3,
                reasons: vec![differs("spark.driver.memory", 1), ("empty", None, 2)],
            },
            last_failure: Some(PoolFailure {
                at: Timestamp::UNIX_EPOCH,
                message: "no Java".to_owned(),
                in_a_row: 2,
                next_try: Some(Timestamp::UNIX_EPOCH),
            }),
        };
        insta::assert_snapshot!(serde_json::to_string_pretty(&PoolsAnswer::new(&[pool])).unwrap(), @r#"
        {
          "pools": [
            {
              "name": "small",
              "level": "ready",
              "wanted": 2,
              "max": 4,
              "open": true,
              "waitsFor": "memory",
              "drivers": [
                {
                  "id": "p-010101010101",
                  "state": "waiting",
                  "since": "1970-01-01T00:00:00Z"
                }
              ],
              "hits": 7,
              "misses": 3,
              "reasons": [
                {
                  "reason": "empty",
                  "key": null,
                  "count": 2
                },
                {
                  "reason": "differs",
                  "key": "spark.driver.memory",
                  "count": 1
                }
              ],
              "lastFailure": {
                "at": "1970-01-01T00:00:00Z",
                "message": "no Java",
                "inARow": 2,
                "nextTry": "1970-01-01T00:00:00Z"
              }
            }
          ]
        }
        "#);
    }
}
