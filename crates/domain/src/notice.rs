//! The notice that a webhook gets of an end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    BatchId, BatchRecord, BatchState, Failure, FailureCode, Made, SessionId, SessionRecord,
    SessionState, StatementId, StatementRecord, StatementState, StopCause, redact,
};

/// The longest message of a failure in a notice, in bytes.
const MESSAGE_BYTES: usize = 2_000;

/// How the output of code that failed begins. The agent and the server write the status first.
pub const FAILED_OUTPUT: &str = r#"{"status":"error""#;

/// A place that is to be told of an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The URL that the notice is posted to.
    pub url: String,
    /// Its host and port. Deliveries to one host do not hold up those to others.
    pub host: String,
}

/// A thing whose end a client may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// A session.
    Session(SessionId),
    /// A batch.
    Batch(BatchId),
    /// A statement of a session.
    Statement(SessionId, StatementId),
}

impl Ended {
    /// The same, among the things that requests make.
    pub fn made(self) -> Made {
        match self {
            Self::Session(id) => Made::Session(id),
            Self::Batch(id) => Made::Batch(id),
            Self::Statement(session, id) => Made::Statement(session, id),
        }
    }
}

/// The end of a session, statement or batch: no code, no output and no configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The thing that has ended.
    pub of: Ended,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The way in which it ended, as lists are searched by it. Of a statement `ok`, `error` or
    /// `cancelled`.
    pub outcome: String,
    /// The cause of the stop, if it was stopped.
    pub cause: Option<StopCause>,
    /// The failure, if there was one.
    pub failure: Option<NoticedFailure>,
    /// When it was asked for. Of statements this is not kept.
    pub created_at: Option<Timestamp>,
    /// When the code or the application began to run. Of sessions this is not kept.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// A failure in a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedFailure {
    /// The code, for programs.
    pub code: FailureCode,
    /// The message without secrets, cut to some length.
    pub message: String,
}

impl Notice {
    /// The notice of a session. `None` before its end.
    pub fn of_session(record: &SessionRecord) -> Option<Self> {
        let (SessionState::Ended(end), Some(ended_at)) = (&record.state, record.ended_at) else {
            return None;
        };
        Some(Self {
            of: Ended::Session(record.id),
            name: record.request.submit.name.clone(),
            outcome: record.state.name().to_owned(),
            cause: end.cause,
            failure: end.failure.as_ref().map(NoticedFailure::of),
            created_at: Some(record.created_at),
            started_at: None,
            ended_at,
        })
    }

    /// The notice of a batch. `None` before its end.
    pub fn of_batch(record: &BatchRecord) -> Option<Self> {
        let (BatchState::Ended(end), Some(ended_at)) = (&record.state, record.times.ended_at)
        else {
            return None;
        };
        Some(Self {
            of: Ended::Batch(record.id),
            name: record.request.submit.name.clone(),
            outcome: record.state.name().to_owned(),
            cause: end.cause,
            failure: end.failure.as_ref().map(NoticedFailure::of),
            created_at: Some(record.times.created_at),
            started_at: record.times.running_at,
            ended_at,
        })
    }

    /// The notice of a statement with this output. An output that came in pieces is `None`, and is
    /// not that of an error. `None` before its end.
    pub fn of_statement(record: &StatementRecord, output: Option<&str>) -> Option<Self> {
        let ended_at = record.state.completed()?;
        let has_failed = output.is_some_and(|text| text.starts_with(FAILED_OUTPUT));
        let outcome = match record.state {
            StatementState::Cancelled { .. } => "cancelled",
            _ if has_failed => "error",
            _ => "ok",
        };
        Some(Self {
            of: Ended::Statement(record.session, record.id),
            name: None,
            outcome: outcome.to_owned(),
            cause: None,
            failure: None,
            created_at: None,
            started_at: record.state.started(),
            ended_at,
        })
    }
}

impl NoticedFailure {
    fn of(failure: &Failure) -> Self {
        // A driver may send megabytes. A secret that this cut goes through is behind the next one.
        let looked_at = failure.message.floor_char_boundary(4 * MESSAGE_BYTES);
        let mut message = redact::line(&failure.message[..looked_at]).into_owned();
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
        Self {
            code: failure.code,
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Evidence, Kind, Phase};

    fn statement(state: StatementState) -> StatementRecord {
        StatementRecord {
            session: SessionId(1),
            id: StatementId(2),
            version: 0,
            kind: Kind::Sql,
            code: "select 'hunter2'".into(),
            state,
        }
    }

    #[test]
    fn a_statement_tells_how_it_ended_and_nothing_that_it_ran() {
        let (started, completed) = (Some(Timestamp::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
        let available = StatementState::Available { started, completed };
        let cancelled = StatementState::Cancelled { started, completed };
        for (state, output, outcome) in [
            (available, Some(r#"{"status":"ok"}"#), "ok"),
            (available, None, "ok"),
            (available, Some(r#"{"status":"error"}"#), "error"),
            (cancelled, Some(r#"{"status":"error"}"#), "cancelled"),
            (cancelled, None, "cancelled"),
        ] {
            let notice = Notice::of_statement(&statement(state), output).unwrap();
            assert_eq!(notice.outcome, outcome);
            assert_eq!(notice.of, Ended::Statement(SessionId(1), StatementId(2)));
            let text = serde_json::to_string(&notice).unwrap();
            assert!(!text.contains("hunter2"), "{text}");
            assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
        }
        let running = StatementState::Running { started };
        assert_eq!(Notice::of_statement(&statement(running), None), None);
    }

    #[test]
    fn a_message_has_no_secrets_and_a_bound() {
        let noticed = |message: &str| {
            NoticedFailure::of(&Failure {
                code: FailureCode::LaunchFailed,
                phase: Phase::Launch,
                message: message.to_owned(),
                hint: String::new(),
                evidence: Evidence::default(),
            })
        };
        assert_eq!(noticed(&"é".repeat(2_000)).message, "é".repeat(1_000));
        let message = noticed("cannot read https://ann:hunter2@h/a.jar").message;
        assert!(!message.contains("hunter2"), "{message}");
    }
}
