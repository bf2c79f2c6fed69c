//! The events of `/api/v1/…/events`, our own routes: what changes, as it changes.

use jiff::Timestamp;
use livius_domain::{OutputStream, StageProgress, StatementRecord};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::livy;

/// A statement has a new state or progress: the event `statement`.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatementEvent)]
pub struct StatementEventAnswer {
    /// Its number within the session.
    id: i32,
    /// `waiting`, `running`, `available`, `cancelling` or `cancelled`.
    state: &'static str,
    /// 0.0 to 1.0.
    progress: f64,
    /// The stages of its Spark jobs that run.
    stages: Vec<StageAnswer>,
    /// When it started, in milliseconds since 1970; 0 when it has not.
    started: i64,
    /// When it ended, in milliseconds since 1970; 0 when it has not.
    completed: i64,
}

/// A stage of a statement's Spark jobs that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Stage)]
pub struct StageAnswer {
    /// Spark's number of the stage.
    id: i32,
    /// Spark's name of the stage.
    name: String,
    /// The number of its tasks.
    tasks: u32,
    /// The number of its tasks that have succeeded.
    done: u32,
    /// The number of its tasks that run.
    running: u32,
}

impl StatementEventAnswer {
    /// Shows a statement.
    pub fn new(record: &StatementRecord, progress: f64, stages: &[StageProgress]) -> Self {
        let milliseconds = |time: Option<Timestamp>| time.map_or(0, Timestamp::as_millisecond);
        let is_over = record.state.is_final();
        Self {
            id: record.id.0,
            state: livy::statement_state(record.state),
            // JSON has no NaN.
            progress: if is_over {
                1.0
            } else if progress.is_nan() {
                0.0
            } else {
                progress.clamp(0.0, 1.0)
            },
            stages: if is_over {
                Vec::new()
            } else {
                stages.iter().map(StageAnswer::new).collect()
            },
            started: milliseconds(record.state.started()),
            completed: milliseconds(record.state.completed()),
        }
    }
}

impl StageAnswer {
    fn new(stage: &StageProgress) -> Self {
        Self {
            id: stage.id,
            name: stage.name.clone(),
            tasks: stage.tasks,
            done: stage.done,
            running: stage.running,
        }
    }
}

/// A statement's code has printed something: the event `output`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutputEvent)]
pub struct OutputEventAnswer<'a> {
    /// `stdout` or `stderr`.
    #[schema(value_type = String)]
    pub stream: OutputStream,
    /// The text.
    pub text: &'a str,
    /// The number of bytes of the stream that are missing before the text, if any are: the code prints
    /// faster than the events go, or the client came late. The statement's output has them at the end.
    #[serde(skip_serializing_if = "is_none")]
    pub missing: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_none(missing: &u64) -> bool {
    *missing == 0
}

/// A statement has ended: the event `end`, and the last one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatementEndEvent)]
pub struct StatementEndAnswer<'a> {
    /// The statement.
    #[serde(flatten)]
    pub statement: StatementEventAnswer,
    /// Its output: everything that it printed, and the data that it shows. `null` when it has none or
    /// a long one.
    #[schema(value_type = Option<Object>)]
    pub output: Option<&'a RawValue>,
    /// The length of the output, if it is long: get it with the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
}

/// A session or a batch was deleted: the event `gone`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Gone)]
pub struct GoneAnswer {
    /// `session` or `batch`.
    pub kind: &'static str,
    /// Its number.
    pub id: i32,
}

/// A log has new lines of one output: the event `log`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LogEvent)]
pub struct LogEventAnswer {
    /// `stdout` or `stderr`. The log of a batch has both in `stdout`, in the order in which the
    /// application wrote them.
    #[schema(value_type = String)]
    pub stream: OutputStream,
    /// The lines, without their ends.
    pub lines: Vec<String>,
    /// True if lines are missing before these: the log reached its limit, and lost its middle.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

/// What a running statement has printed until now, in place of its output. A client asks for it with
/// `partial=true`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = PartialOutput)]
pub struct PartialOutputAnswer {
    /// What it has printed.
    pub partial: PartialTextAnswer,
}

/// The newest text of a running statement.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PartialText)]
pub struct PartialTextAnswer {
    /// The end of its standard output.
    pub stdout: String,
    /// The end of its standard error.
    pub stderr: String,
    /// True if there was more before these ends, or in between.
    pub is_cut: bool,
}

impl PartialOutputAnswer {
    /// Adds a piece, before which some bytes are missing.
    pub fn add(&mut self, stream: OutputStream, text: &str, missing: u64) {
        let partial = &mut self.partial;
        partial.is_cut |= missing > 0;
        match stream {
            OutputStream::Stdout => partial.stdout.push_str(text),
            OutputStream::Stderr => partial.stderr.push_str(text),
        }
    }
}
