//! The body of a message.

use jiff::Timestamp;
use livius_domain::notice::Ended;
use livius_domain::{FailureCode, Notice, StopCause};
use serde::Serialize;

/// The form that Standard Webhooks recommends.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    kind: &'static str,
    id: i32,
    /// Of a statement only.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<i32>,
    name: Option<&'a str>,
    outcome: &'a str,
    cause: Option<StopCause>,
    failure: Option<Failure<'a>>,
    created_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Timestamp,
    /// Relative to the server, which may have several names.
    path: String,
}

#[derive(Serialize)]
struct Failure<'a> {
    code: FailureCode,
    message: &'a str,
}

/// The body that tells of an end.
pub fn body(notice: &Notice) -> String {
    let (event, kind, id, session) = match notice.of {
        Ended::Session(id) => ("session.ended", "session", id.0, None),
        Ended::Batch(id) => ("batch.ended", "batch", id.0, None),
        Ended::Statement(session, id) => {
            let event = "statement.ended";
            (event, "statement", id.0, Some(session.0))
        }
    };
    let path = match notice.of {
        Ended::Session(id) => format!("/api/v1/sessions/{id}"),
        Ended::Batch(id) => format!("/api/v1/batches/{id}"),
        Ended::Statement(session, id) => format!("/sessions/{session}/statements/{id}"),
    };
    let failure = notice.failure.as_ref();
    let body = Body {
        r#type: event,
        timestamp: notice.ended_at,
        data: Data {
            kind,
            id,
            session,
            name: notice.name.as_deref(),
            outcome: &notice.outcome,
            cause: notice.cause,
            failure: failure.map(|failure| Failure {
                code: failure.code,
                message: &failure.message,
            }),
            created_at: notice.created_at,
            started_at: notice.started_at,
            ended_at: notice.ended_at,
            path,
        },
    };
    serde_json::to_string(&body).expect("a notice is plain data")
}

#[cfg(test)]
mod tests {
    use livius_domain::{BatchId, NoticedFailure, SessionId, StatementId};
    use serde_json::json;

    use super::*;

    fn notice(of: Ended) -> Notice {
        Notice {
            of,
            name: None,
            outcome: "ok".to_owned(),
            cause: None,
            failure: None,
            created_at: None,
            started_at: None,
            ended_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn told(notice: &Notice) -> serde_json::Value {
        serde_json::from_str(&body(notice)).unwrap()
    }

    #[test]
    fn a_body_tells_what_ended_and_how() {
        let failed = Notice {
            name: Some("nightly".to_owned()),
            outcome: "failed".to_owned(),
            cause: Some(StopCause::IdleTimeout),
            failure: Some(NoticedFailure {
                code: FailureCode::LaunchFailed,
                message: "no".to_owned(),
            }),
            created_at: Some(Timestamp::UNIX_EPOCH),
            ..notice(Ended::Batch(BatchId(7)))
        };
        let expected = json!({
            "type": "batch.ended",
            "timestamp": "1970-01-01T00:00:00Z",
            "data": {
                "kind": "batch",
                "id": 7,
                "name": "nightly",
                "outcome": "failed",
                "cause": "idle_timeout",
                "failure": {"code": "launch_failed", "message": "no"},
                "createdAt": "1970-01-01T00:00:00Z",
                "startedAt": null,
                "endedAt": "1970-01-01T00:00:00Z",
                "path": "/api/v1/batches/7",
            },
        });
        assert_eq!(told(&failed), expected);
        let statement = told(&notice(Ended::Statement(SessionId(1), StatementId(2))));
        assert_eq!(statement["type"], "statement.ended");
        assert_eq!(statement["data"]["session"], 1);
        assert_eq!(statement["data"]["path"], "/sessions/1/statements/2");
        let session = told(&notice(Ended::Session(SessionId(1))));
        assert_eq!(session["type"], "session.ended");
        assert_eq!(session["data"]["path"], "/api/v1/sessions/1");
    }
}
