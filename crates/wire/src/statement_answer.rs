//! The Statement object: 7 keys, with the output exactly as it came from the driver.

use livius_domain::{StatementRecord, StatementState};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::livy;

/// A statement as Livy shows it, for the OpenAPI document. [`StatementEnvelope`] writes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statement)]
pub struct StatementAnswer {
    /// Its number within the session.
    pub id: i32,
    /// The code.
    pub code: String,
    /// `waiting`, `running`, `available`, `cancelling` or `cancelled`.
    pub state: String,
    /// `null` until it has ended, then `{"status":"ok","execution_count":…,"data":{…}}` or
    /// `{"status":"error","execution_count":…,"ename":…,"evalue":…,"traceback":[…]}`.
    #[schema(value_type = Option<Object>)]
    pub output: Option<Box<RawValue>>,
    /// 0.0 to 1.0.
    pub progress: f64,
    /// When it started, in milliseconds since 1970; 0 when it has not.
    pub started: i64,
    /// When it ended, in milliseconds since 1970; 0 when it has not.
    pub completed: i64,
}

/// The response to a request for a session's statements, for the OpenAPI document.
/// [`statement_list_head`] and [`statement_list_tail`] write it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatementList)]
pub struct StatementListAnswer {
    /// The number of all statements.
    pub total_statements: u64,
    /// The statements of this page.
    pub statements: Vec<StatementAnswer>,
}

/// Writes the JSON around a statement's output, so that a long output can be streamed.
#[derive(Debug, Clone, Copy)]
pub struct StatementEnvelope<'a> {
    record: &'a StatementRecord,
    progress: f64,
}

impl<'a> StatementEnvelope<'a> {
    /// Creates the writer of a statement.
    pub fn new(record: &'a StatementRecord, progress: f64) -> Self {
        let over = record.state.is_final();
        let progress = if over { 1.0 } else { progress.clamp(0.0, 1.0) };
        // JSON has no NaN, so NaN counts as no progress.
        Self {
            record,
            progress: if progress.is_nan() { 0.0 } else { progress },
        }
    }

    /// Appends everything before the output.
    pub fn head(&self, text: &mut Vec<u8>) {
        text.reserve(self.record.code.len() + 96);
        text.extend_from_slice(b"{\"id\":");
        append(text, &self.record.id.0);
        text.extend_from_slice(b",\"code\":");
        append(text, &*self.record.code);
        text.extend_from_slice(b",\"state\":\"");
        text.extend_from_slice(livy::statement_state(self.record.state).as_bytes());
        text.extend_from_slice(b"\",\"output\":");
    }

    /// Appends everything after the output.
    pub fn tail(&self, text: &mut Vec<u8>) {
        let (started, completed) = times(self.record.state);
        text.extend_from_slice(b",\"progress\":");
        append(text, &self.progress);
        text.extend_from_slice(b",\"started\":");
        append(text, &started);
        text.extend_from_slice(b",\"completed\":");
        append(text, &completed);
        text.push(b'}');
    }

    /// Appends the whole object with a complete output, which must be a JSON document.
    pub fn write(&self, output: Option<&str>, text: &mut Vec<u8>) {
        self.head(text);
        text.extend_from_slice(output.unwrap_or("null").as_bytes());
        self.tail(text);
    }
}

/// Appends everything before the first statement of a list.
pub fn statement_list_head(total: u64, text: &mut Vec<u8>) {
    text.extend_from_slice(b"{\"total_statements\":");
    append(text, &total);
    text.extend_from_slice(b",\"statements\":[");
}

/// Appends everything after the last statement of a list.
pub fn statement_list_tail(text: &mut Vec<u8>) {
    text.extend_from_slice(b"]}");
}

fn times(state: StatementState) -> (i64, i64) {
    let milliseconds =
        |time: Option<jiff::Timestamp>| time.map_or(0, jiff::Timestamp::as_millisecond);
    (
        milliseconds(state.started()),
        milliseconds(state.completed()),
    )
}

fn append<T: Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(text, value).expect("a vector takes everything, and there are no keys");
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use livius_domain::{Kind, SessionId, StatementId};

    use super::*;

    fn record(id: i32, code: &str, state: StatementState) -> StatementRecord {
        StatementRecord {
            version: 0,
            session: SessionId(7),
            id: StatementId(id),
            kind: Kind::PySpark,
            code: code.into(),
            state,
        }
    }

    fn shown(record: &StatementRecord, progress: f64, output: Option<&str>) -> String {
        let mut text = Vec::new();
        StatementEnvelope::new(record, progress).write(output, &mut text);
        String::from_utf8(text).unwrap()
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn statements_look_as_recorded() {
        let started = Some(at(1_795_251_929_913));
        let table = [
            (
                shown(
                    &record(0, "print('foo')", StatementState::Waiting),
                    0.0,
                    None,
                ),
                r#"{"id":0,"code":"print('foo')","state":"waiting","output":null,"progress":0.0,"started":0,"completed":0}"#,
            ),
            (
                shown(
                    &record(1, "a\n\"b\"", StatementState::Running { started }),
                    0.5,
                    None,
                ),
                r#"{"id":1,"code":"a\n\"b\"","state":"running","output":null,"progress":0.5,"started":1795251929913,"completed":0}"#,
            ),
            (
                shown(
                    &record(
                        0,
                        "print('foo')",
                        StatementState::Available {
                            started,
                            completed: at(1_795_251_929_915),
                        },
                    ),
                    0.3,
                    Some(r#"{"status":"ok","execution_count":0,"data":{"text/plain":"foo"}}"#),
                ),
                r#"{"id":0,"code":"print('foo')","state":"available","output":{"status":"ok","execution_count":0,"data":{"text/plain":"foo"}},"progress":1.0,"started":1795251929913,"completed":1795251929915}"#,
            ),
            (
                shown(
                    &record(
                        2,
                        "",
                        StatementState::Cancelled {
                            started: None,
                            completed: at(5),
                        },
                    ),
                    0.0,
                    None,
                ),
                r#"{"id":2,"code":"","state":"cancelled","output":null,"progress":1.0,"started":0,"completed":5}"#,
            ),
            (
                shown(
                    &record(2, "", StatementState::Cancelling { started }),
                    f64::NAN,
                    None,
                ),
                r#"{"id":2,"code":"","state":"cancelling","output":null,"progress":0.0,"started":1795251929913,"completed":0}"#,
            ),
        ];
        for (actual, expected) in table {
            assert_eq!(actual, expected);
        }
    }

    #[test]
    fn a_list_is_its_statements_between_head_and_tail() {
        let mut text = Vec::new();
        statement_list_head(9, &mut text);
        statement_list_tail(&mut text);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"total_statements":9,"statements":[]}"#
        );
    }
}
