//! `GET /api/v1/batches/{id}`, our own route: a batch with its history and the reason why it ended.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use livius_domain::batch::{BatchEnd, BatchOutcome, BatchStart, BatchState};
use livius_domain::redact::address;
use livius_domain::{BatchRecord, Exit, Failure, FailureCode, Phase, QueuePlace, StopCause};
use serde::Serialize;
use utoipa::ToSchema;

use crate::detail_answer::{LinksAnswer, QueueAnswer};
use crate::redact::RedactedConf;
use crate::{AppInfoAnswer, livy};

/// A batch, without its arguments, which may hold secrets. Times are in UTC, in RFC 3339 format, and
/// `null` for what has not happened.
///
/// A list of batches leaves out `queue`, `configuration` and `links`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BatchDetail)]
pub struct BatchDetailAnswer<'a> {
    /// Its number.
    id: i32,
    /// Its name.
    name: Option<&'a str>,
    /// The authenticated user that created it.
    owner: Option<&'a str>,
    /// The user it runs as.
    proxy_user: Option<&'a str>,
    /// Livy's name of the state: `starting`, `running`, `success`, `dead` or `killed`.
    state: &'a str,
    /// The step of the start: `queued`, `launching` or `submitted`; `null` when the batch is not
    /// starting.
    #[schema(value_type = Option<String>)]
    step: Option<BatchStart>,
    /// The application, without passwords.
    #[schema(value_type = String)]
    file: Cow<'a, str>,
    /// The main class.
    class_name: Option<&'a str>,
    /// Spark's id of the application, once it is known.
    app_id: Option<&'a str>,
    /// Addresses of pages about the application.
    app_info: AppInfoAnswer<'a>,
    /// When it was submitted.
    created_at: String,
    /// When its turn came.
    launched_at: Option<String>,
    /// When the application was first heard of.
    running_at: Option<String>,
    /// When it was asked to stop.
    stopping_at: Option<String>,
    /// When it ended.
    ended_at: Option<String>,
    /// Its end.
    end: Option<BatchEndAnswer<'a>>,
    /// The keys that a list of batches leaves out.
    #[serde(flatten)]
    more: Option<BatchMoreAnswer<'a>>,
}

/// The keys that a list of batches leaves out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BatchMore)]
pub struct BatchMoreAnswer<'a> {
    /// Its place among those that wait for their turn.
    queue: Option<QueueAnswer>,
    /// Its Spark configuration with the defaults and overrides of the server, without secrets. Spark
    /// adds what `spark-defaults.conf` says.
    #[schema(value_type = BTreeMap<String, String>)]
    configuration: RedactedConf<'a>,
    /// The addresses of what belongs to it.
    links: LinksAnswer<'a>,
}

/// The facts about a batch that its record does not have.
#[derive(Debug, Clone, Copy)]
pub struct BatchKnowledge<'a> {
    /// Its place in the queue.
    pub queue: Option<QueuePlace>,
    /// Its configuration, with secrets.
    pub conf: &'a BTreeMap<String, String>,
}

/// The end of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BatchEnd)]
pub struct BatchEndAnswer<'a> {
    /// `succeeded`, `failed` or `killed`.
    #[schema(value_type = String)]
    outcome: BatchOutcome,
    /// The cause of the end, such as `user` or `shutdown`; `null` when the batch ended by itself.
    #[schema(value_type = Option<String>)]
    cause: Option<StopCause>,
    /// The exit code of its process, if it exited.
    exit_code: Option<i32>,
    /// The number of the signal that killed its process, if one did.
    signal: Option<i32>,
    /// The failure, if there was one.
    failure: Option<FailureAnswer<'a>>,
}

/// A failure, with an explanation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct FailureAnswer<'a> {
    /// Its name, for programs, such as `class_not_found` or `out_of_heap`. `docs/ERRORS.md` has all.
    #[schema(value_type = String)]
    code: FailureCode,
    /// The phase in which it happened: `launch`, `connect`, `submit`, `context`, `running` or
    /// `stopping`.
    #[schema(value_type = String)]
    phase: Phase,
    /// The event in words for people.
    message: &'a str,
    /// The remedy.
    hint: &'a str,
    /// The lines that the code was concluded from, without secrets.
    evidence: &'a [String],
    /// The section about the code in Livius' documentation, such as `docs/ERRORS.md#out_of_heap`.
    docs: &'static str,
}

impl<'a> BatchDetailAnswer<'a> {
    /// Shows a batch. `step` is how far its start is; it is shown while the batch starts.
    pub fn new(record: &'a BatchRecord, step: Option<BatchStart>) -> Self {
        let app = record.app.as_ref();
        let request = &record.request;
        let times = record.times;
        let (step, end) = match &record.state {
            BatchState::Starting => (step, None),
            BatchState::Running | BatchState::Stopping { .. } => (None, None),
            BatchState::Ended(end) => (None, Some(BatchEndAnswer::new(end))),
        };
        Self {
            id: record.id.0,
            name: request.submit.name.as_deref(),
            owner: record.owner.as_deref(),
            proxy_user: record.proxy_user.as_deref(),
            state: livy::BatchState::of(&record.state).as_str(),
            step,
            file: address(&request.file),
            class_name: request.class_name.as_deref(),
            app_id: app.map(|app| app.app_id.as_str()),
            app_info: AppInfoAnswer::new(app, record.state.is_ended()),
            created_at: times.created_at.to_string(),
            launched_at: written(times.launched_at),
            running_at: written(times.running_at),
            stopping_at: written(times.stopping_at),
            ended_at: written(times.ended_at),
            end,
            more: None,
        }
    }

    /// Adds the keys that a list of batches leaves out.
    #[must_use]
    pub fn knowing(self, known: BatchKnowledge<'a>) -> Self {
        Self {
            more: Some(BatchMoreAnswer {
                queue: known.queue.map(QueueAnswer::new),
                configuration: RedactedConf(known.conf),
                links: LinksAnswer::of_batch(self.id, self.app_info.spark_ui_url()),
            }),
            ..self
        }
    }
}

fn written(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

impl<'a> BatchEndAnswer<'a> {
    fn new(end: &'a BatchEnd) -> Self {
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

impl<'a> FailureAnswer<'a> {
    pub(crate) fn new(failure: &'a Failure) -> Self {
        Self {
            code: failure.code,
            phase: failure.phase,
            message: &failure.message,
            hint: &failure.hint,
            evidence: failure.evidence.lines(),
            docs: failure.code.docs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use livius_domain::{AppInfo, BatchId, BatchTimes};

    use super::*;
    use crate::{ReadOptions, read_batch};

    fn record(request: &str) -> BatchRecord {
        BatchRecord {
            version: 0,
            id: BatchId(4),
            request: read_batch(request, ReadOptions::default()).unwrap().into(),
            owner: None,
            proxy_user: None,
            state: BatchState::NEW,
            app: None,
            driver: None,
            times: BatchTimes::new(Timestamp::from_microsecond(1_795_251_984_123_456).unwrap()),
            last_lines: None,
        }
    }

    fn shown(record: &BatchRecord, step: Option<BatchStart>) -> serde_json::Value {
        serde_json::to_value(BatchDetailAnswer::new(record, step)).unwrap()
    }

    #[test]
    fn a_new_batch_has_little_to_tell() {
        let record = record(r#"{"file":"/srv/data/pi.py"}"#);
        insta::assert_snapshot!(serde_json::to_string(&BatchDetailAnswer::new(&record, Some(BatchStart::Queued))).unwrap(), @r#"{"id":4,"name":null,"owner":null,"proxyUser":null,"state":"starting","step":"queued","file":"/srv/data/pi.py","className":null,"appId":null,"appInfo":{"driverLogUrl":null,"sparkUiUrl":null,"executorLogUrls":null},"createdAt":"2026-11-21T09:06:24.123456Z","launchedAt":null,"runningAt":null,"stoppingAt":null,"endedAt":null,"end":null}"#);
    }

    #[test]
    fn a_failed_batch_tells_its_history_and_no_secrets() {
        let mut record = record(
            r#"{"file":"https://ann:hunter2@h/a.jar","className":"a.B","args":["hunter2"],"name":"n","jars":["https://ann:hunter2@h/b.jar"],
                "conf":{"spark.my.password":"hunter2","spark.x":"hunter2"}}"#,
        );
        let after = |seconds: i64| Timestamp::from_second(1_795_251_984 + seconds).ok();
        record.owner = Some("ann".into());
        record.proxy_user = Some("bob".into());
        record.app = Some(AppInfo {
            app_id: "local-1".into(),
            spark_ui_url: Some("http://h:4040".into()),
            driver_log_url: Some("http://h:8042/log".into()),
        });
        record.times.launched_at = after(1);
        record.times.running_at = after(2);
        record.times.ended_at = after(4);
        record.state = BatchState::Ended(BatchEnd {
            outcome: BatchOutcome::Failed,
            cause: None,
            failure: Some(Failure {
                code: FailureCode::ApplicationFailed,
                phase: Phase::Running,
                evidence: livius_domain::Evidence::of(["ValueError: x"]),
                message: "the application ended with exit code 1".into(),
                hint: "read the batch's log".into(),
            }),
            exit: Some(Exit::Code(1)),
        });
        insta::assert_snapshot!(serde_json::to_string_pretty(&BatchDetailAnswer::new(&record, None)).unwrap(), @r#"
        {
          "id": 4,
          "name": "n",
          "owner": "ann",
          "proxyUser": "bob",
          "state": "dead",
          "step": null,
          "file": "https://ann:*********(redacted)@h/a.jar",
          "className": "a.B",
          "appId": "local-1",
          "appInfo": {
            "driverLogUrl": "http://h:8042/log",
            "sparkUiUrl": null,
            "executorLogUrls": null
          },
          "createdAt": "2026-11-21T09:06:24.123456Z",
          "launchedAt": "2026-11-21T09:06:25Z",
          "runningAt": "2026-11-21T09:06:26Z",
          "stoppingAt": null,
          "endedAt": "2026-11-21T09:06:28Z",
          "end": {
            "outcome": "failed",
            "cause": null,
            "exitCode": 1,
            "signal": null,
            "failure": {
              "code": "application_failed",
              "phase": "running",
              "message": "the application ended with exit code 1",
              "hint": "read the batch's log",
              "evidence": [
                "ValueError: x"
              ],
              "docs": "docs/ERRORS.md#application_failed"
            }
          }
        }
        "#);
    }

    #[test]
    fn each_state_shows_its_step_or_its_end() {
        let ended = |outcome, cause, exit| {
            BatchState::Ended(BatchEnd {
                outcome,
                cause,
                failure: None,
                exit,
            })
        };
        let user = Some(StopCause::User);
        let stopping = BatchState::Stopping {
            cause: StopCause::User,
            was_running: false,
        };
        let killed = BatchOutcome::Killed;
        let mut lines = Vec::new();
        for (state, step) in [
            (BatchState::Starting, Some(BatchStart::Queued)),
            (BatchState::Starting, Some(BatchStart::Launching)),
            (BatchState::Starting, Some(BatchStart::Submitted)),
            (BatchState::Running, None),
            (stopping, Some(BatchStart::Submitted)),
            (
                ended(BatchOutcome::Succeeded, None, Some(Exit::Code(0))),
                None,
            ),
            (ended(killed, user, Some(Exit::Signal(9))), None),
            (
                ended(killed, Some(StopCause::Shutdown), Some(Exit::Unknown)),
                None,
            ),
            (ended(killed, user, None), None),
        ] {
            let mut record = record(r#"{"file":"f"}"#);
            record.state = state;
            let shown = shown(&record, step);
            lines.push(format!(
                "{} {} {}",
                shown["state"], shown["step"], shown["end"]
            ));
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        "starting" "queued" null
        "starting" "launching" null
        "starting" "submitted" null
        "running" null null
        "starting" null null
        "success" null {"outcome":"succeeded","cause":null,"exitCode":0,"signal":null,"failure":null}
        "killed" null {"outcome":"killed","cause":"user","exitCode":null,"signal":9,"failure":null}
        "killed" null {"outcome":"killed","cause":"shutdown","exitCode":null,"signal":null,"failure":null}
        "killed" null {"outcome":"killed","cause":"user","exitCode":null,"signal":null,"failure":null}
        "#);
    }
}
