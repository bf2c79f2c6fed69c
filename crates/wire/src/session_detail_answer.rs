//! `GET /api/v1/sessions/{id}`, our own route: a session with the history of its start, and the
//! reason why it ended.

use std::collections::BTreeMap;

use jiff::Timestamp;
use livius_domain::{
    End, Exit, Expiry, Outcome, QueuePlace, SessionRecord, SessionState, StartStep, StopCause,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::detail_answer::{ExpiryAnswer, LinksAnswer, QueueAnswer};
use crate::redact::RedactedConf;
use crate::session_start_answer::SessionStartAnswer;
use crate::{AppInfoAnswer, FailureAnswer, livy};

/// A session. Times are in UTC, in RFC 3339 format, and `null` for what has not happened.
///
/// A list of sessions leaves out `queue`, `expires`, `configuration` and `links`.
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
    /// The keys that a list of sessions leaves out.
    #[serde(flatten)]
    more: Option<SessionMoreAnswer<'a>>,
}

/// The keys that a list of sessions leaves out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SessionMore)]
pub struct SessionMoreAnswer<'a> {
    /// Its place among those that wait for their start.
    queue: Option<QueueAnswer>,
    /// When the server ends it, if nothing changes before.
    expires: Option<ExpiryAnswer>,
    /// Its Spark configuration with the defaults and overrides of the server, without secrets. Spark
    /// adds what `spark-defaults.conf` says.
    #[schema(value_type = BTreeMap<String, String>)]
    configuration: RedactedConf<'a>,
    /// The addresses of what belongs to it.
    links: LinksAnswer<'a>,
}

/// The facts about a session that its record does not have.
#[derive(Debug, Clone, Copy)]
pub struct SessionKnowledge<'a> {
    /// The phases of its start.
    pub start: &'a [StartStep],
    /// Its place in the queue.
    pub queue: Option<QueuePlace>,
    /// The end of its time.
    pub expiry: Option<Expiry>,
    /// Its configuration, with secrets.
    pub conf: &'a BTreeMap<String, String>,
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
            start: SessionStartAnswer::new(record),
            end,
            more: None,
        }
    }

    /// Adds the keys that a list of sessions leaves out.
    #[must_use]
    pub fn knowing(self, known: SessionKnowledge<'a>) -> Self {
        let spark_ui = self.app_info.spark_ui_url();
        Self {
            more: Some(SessionMoreAnswer {
                queue: known.queue.map(QueueAnswer::new),
                expires: known.expiry.map(ExpiryAnswer::new),
                configuration: RedactedConf(known.conf),
                links: LinksAnswer::of_session(self.id, spark_ui),
            }),
            start: self.start.with(known.start),
            ..self
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

    use livius_domain::pool::{Differs, Level, Passed, PoolOutcome, Why};
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
