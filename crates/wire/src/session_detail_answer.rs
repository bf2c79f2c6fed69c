//! `GET /api/v1/sessions/{id}`, our own route: a session with the history of its start, and the
//! reason why it ended.

use jiff::Timestamp;
use livius_domain::pool::{Passed, PoolOutcome, Why};
use livius_domain::{End, Exit, Outcome, SessionRecord, SessionState, StopCause};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{AppInfoAnswer, FailureAnswer, livy};

/// What is stored about a session, except its configuration, which may hold secrets. Times are in
/// UTC, in RFC 3339 format, and `null` for what has not happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SessionDetail)]
pub struct SessionDetailAnswer<'a> {
    /// Its number.
    id: i32,
    /// Its name.
    name: Option<&'a str>,
    /// The authenticated user that created it.
    owner: Option<&'a str>,
    /// The user it runs as.
    proxy_user: Option<&'a str>,
    /// The kind of its statements.
    kind: &'a str,
    /// Livy's name of the state.
    state: &'a str,
    /// Spark's id of the application, once it is known.
    app_id: Option<&'a str>,
    /// Addresses of pages about the application.
    app_info: AppInfoAnswer<'a>,
    /// When it was asked for.
    created_at: String,
    /// When it was last used.
    last_activity: String,
    /// When it ended.
    ended_at: Option<String>,
    /// Its start.
    start: SessionStartAnswer<'a>,
    /// Its end.
    end: Option<SessionEndAnswer<'a>>,
}

/// The start of a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionStart)]
pub struct SessionStartAnswer<'a> {
    /// What the pools did for it. `null` if an earlier version of the server created it.
    pool: Option<StartPoolAnswer<'a>>,
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

/// The end of a session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SessionEnd)]
pub struct SessionEndAnswer<'a> {
    /// `stopped`, `killed` or `failed`.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// The cause of the end, such as `user` or `idle_timeout`; `null` when it ended by itself.
    #[schema(value_type = Option<String>)]
    cause: Option<StopCause>,
    /// The exit code of the driver, if it exited.
    exit_code: Option<i32>,
    /// The number of the signal that killed the driver, if one did.
    signal: Option<i32>,
    /// The failure, if there was one.
    failure: Option<FailureAnswer<'a>>,
}

impl<'a> SessionDetailAnswer<'a> {
    /// Shows a session.
    pub fn new(record: &'a SessionRecord, state: livy::SessionState) -> Self {
        let app = record.app.as_ref();
        let end = match &record.state {
            SessionState::Ended(end) => Some(SessionEndAnswer::new(end)),
            _ => None,
        };
        Self {
            id: record.id.0,
            name: record.request.submit.name.as_deref(),
            owner: record.owner.as_deref(),
            proxy_user: record.proxy_user.as_deref(),
            kind: record.request.kind.as_str(),
            state: state.as_str(),
            app_id: app.map(|app| app.app_id.as_str()),
            app_info: AppInfoAnswer::new(app, record.state.is_ended()),
            created_at: record.created_at.to_string(),
            last_activity: record.last_activity.to_string(),
            ended_at: record.ended_at.as_ref().map(Timestamp::to_string),
            start: SessionStartAnswer {
                pool: record.pool.as_deref().map(StartPoolAnswer::new),
            },
            end,
        }
    }
}

impl<'a> StartPoolAnswer<'a> {
    fn new(outcome: &'a PoolOutcome) -> Self {
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

impl<'a> SessionEndAnswer<'a> {
    fn new(end: &'a End) -> Self {
        let (exit_code, signal) = match end.exit {
            Some(Exit::Code(code)) => (Some(code), None),
            Some(Exit::Signal(signal)) => (None, Some(signal)),
            Some(Exit::Unknown) | None => (None, None),
        };
        Self {
            outcome: end.outcome,
            cause: end.cause,
            exit_code,
            signal,
            failure: end.failure.as_ref().map(FailureAnswer::new),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use livius_domain::pool::{Differs, Level};
    use livius_domain::{Failure, FailureCode, Phase, SessionId};

    use super::*;
    use crate::{ReadOptions, read_session};

    fn record(pool: Option<PoolOutcome>, state: SessionState) -> SessionRecord {
        let request = r#"{"kind":"pyspark","name":"n","conf":{"spark.my.password":"hunter2"}}"#;
        SessionRecord {
            id: SessionId(7),
            version: 0,
            request: Arc::new(read_session(request, ReadOptions::default()).unwrap()),
            owner: Some("ann".into()),
            proxy_user: None,
            state,
            app: None,
            driver: None,
            pool: pool.map(Arc::new),
            created_at: Timestamp::UNIX_EPOCH,
            last_activity: Timestamp::UNIX_EPOCH,
            ended_at: None,
            last_lines: None,
        }
    }

    fn miss() -> PoolOutcome {
        let passed = |pool: &str, why| Passed {
            pool: pool.to_owned(),
            why,
        };
        let differs = Differs {
            key: "spark.driver.memory".to_owned(),
            wanted: Some("4g".to_owned()),
            had: None,
        };
        PoolOutcome::Miss {
            pools: vec![
                passed("small", Why::Differs(differs)),
                passed("large", Why::Empty),
            ],
        }
    }

    fn ended() -> SessionState {
        SessionState::Ended(End {
            outcome: Outcome::Failed,
            cause: None,
            failure: Some(Failure {
                code: FailureCode::DriverExited,
                phase: Phase::Running,
                evidence: livius_domain::Evidence::default(),
                message: "m".to_owned(),
                hint: "h".to_owned(),
            }),
            exit: Some(Exit::Signal(9)),
        })
    }

    #[test]
    fn a_session_tells_why_no_pool_had_a_driver_and_no_secret() {
        let record = record(Some(miss()), ended());
        let answer = SessionDetailAnswer::new(&record, livy::SessionState::Dead);
        insta::assert_snapshot!(serde_json::to_string_pretty(&answer).unwrap(), @r#"
        {
          "id": 7,
          "name": "n",
          "owner": "ann",
          "proxyUser": null,
          "kind": "pyspark",
          "state": "dead",
          "appId": null,
          "appInfo": {
            "driverLogUrl": null,
            "sparkUiUrl": null,
            "executorLogUrls": null
          },
          "createdAt": "1970-01-01T00:00:00Z",
          "lastActivity": "1970-01-01T00:00:00Z",
          "endedAt": null,
          "start": {
            "pool": {
              "outcome": "miss",
              "pool": null,
              "level": null,
              "misses": [
                {
                  "pool": "small",
                  "reason": "differs",
                  "key": "spark.driver.memory",
                  "wanted": "4g",
                  "had": null,
                  "message": "spark.driver.memory is \"4g\" here and not set in the pool, and cannot be set late"
                },
                {
                  "pool": "large",
                  "reason": "empty",
                  "key": null,
                  "wanted": null,
                  "had": null,
                  "message": "no driver was waiting"
                }
              ]
            }
          },
          "end": {
            "outcome": "failed",
            "cause": null,
            "exitCode": null,
            "signal": 9,
            "failure": {
              "code": "driver_exited",
              "phase": "running",
              "message": "m",
              "hint": "h",
              "evidence": [],
              "docs": "docs/ERRORS.md#driver_exited"
            }
          }
        }
        "#);
    }

    #[test]
    fn a_hit_names_the_pool() {
        let hit = PoolOutcome::Hit {
            pool: "small".to_owned(),
            level: Level::Ready,
        };
        let start = |pool| {
            let record = record(pool, SessionState::Running);
            let answer = SessionDetailAnswer::new(&record, livy::SessionState::Idle);
            serde_json::to_string(&answer.start).unwrap()
        };
        let lines = [start(Some(hit)), start(Some(PoolOutcome::Off)), start(None)];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"pool":{"outcome":"hit","pool":"small","level":"ready","misses":[]}}
        {"pool":{"outcome":"off","pool":null,"level":null,"misses":[]}}
        {"pool":null}
        "#);
    }
}
