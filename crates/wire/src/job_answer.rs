//! The `JobStatus` object: exactly 4 keys, because Livy's Java client refuses any other. Our own list
//! of jobs shows more.

use livius_domain::{JobLanguage, JobRecord, JobState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::livy;

/// A job as Livy shows it. [`JobEnvelope`] writes a job with a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JobStatus)]
pub struct JobAnswer<'a> {
    /// Its number within the session.
    pub id: i32,
    /// `SENT`, `QUEUED`, `STARTED`, `CANCELLED`, `FAILED` or `SUCCEEDED`.
    pub state: &'a str,
    /// Its result, in base64; `null` when it has none, or has not ended.
    pub result: Option<&'a str>,
    /// The reason why it failed.
    pub error: Option<&'a str>,
}

/// A page of a session's jobs, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JobPage)]
pub struct JobPageAnswer<'a> {
    /// The jobs.
    pub jobs: Vec<ListedJobAnswer<'a>>,
    /// The number of all jobs of the session, on this page or another.
    pub total: u64,
    /// The cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// A job of a list, without its result.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListedJob)]
pub struct ListedJobAnswer<'a> {
    /// Its number within the session.
    id: i32,
    /// `SENT`, `QUEUED`, `STARTED`, `CANCELLED`, `FAILED` or `SUCCEEDED`.
    state: &'a str,
    /// `spark` (a job of Java or Scala) or `pyspark` (one of Python).
    job_type: &'a str,
    /// When it began to run, in UTC, in RFC 3339 format; `null` before.
    started_at: Option<String>,
    /// When it ended; `null` before.
    ended_at: Option<String>,
    /// The reason why it failed. Of a long one the beginning.
    error: Option<&'a str>,
}

impl<'a> ListedJobAnswer<'a> {
    /// Shows a job in a list.
    pub fn new(record: &'a JobRecord) -> Self {
        let (started, ended) = match record.state {
            JobState::Waiting | JobState::Sent => (None, None),
            JobState::Started { started } => (Some(started), None),
            JobState::Cancelling { started } => (started, None),
            JobState::Ended { started, ended, .. } => (started, Some(ended)),
        };
        Self {
            id: record.id.0,
            state: livy::job_state(record.state),
            job_type: match record.language {
                JobLanguage::Jvm => "spark",
                JobLanguage::Python => "pyspark",
            },
            started_at: started.map(|at| at.to_string()),
            ended_at: ended.map(|at| at.to_string()),
            error: record.error.as_deref(),
        }
    }
}

impl JobAnswer<'_> {
    /// The response to a client that submits a job. Livy sends the same, even if the job has
    /// already moved on.
    pub fn submitted(record: &JobRecord) -> Self {
        Self {
            id: record.id.0,
            state: "SENT",
            result: None,
            error: None,
        }
    }
}

/// Writes the JSON around a job's result, so that a long result can be streamed.
#[derive(Debug, Clone, Copy)]
pub struct JobEnvelope<'a>(&'a JobRecord);

impl<'a> JobEnvelope<'a> {
    /// Creates the writer of a job.
    pub fn new(record: &'a JobRecord) -> Self {
        Self(record)
    }

    /// Appends the whole object of a job without a result.
    pub fn bare(self, text: &mut Vec<u8>) {
        self.before(text);
        text.extend_from_slice(b"null");
        self.after(text);
    }

    /// Appends everything before the result.
    pub fn head(self, text: &mut Vec<u8>) {
        self.before(text);
        text.push(b'"');
    }

    /// Appends a piece of the result. The application has checked that it is base64.
    pub fn piece(self, base64: &str, text: &mut Vec<u8>) {
        text.extend_from_slice(base64.as_bytes());
    }

    /// Appends everything after the result.
    pub fn tail(self, text: &mut Vec<u8>) {
        text.push(b'"');
        self.after(text);
    }

    fn before(self, text: &mut Vec<u8>) {
        let (id, state) = (self.0.id, livy::job_state(self.0.state));
        text.extend_from_slice(format!(r#"{{"id":{id},"state":"{state}","result":"#).as_bytes());
    }

    fn after(self, text: &mut Vec<u8>) {
        text.extend_from_slice(b",\"error\":");
        serde_json::to_writer(&mut *text, &self.0.error)
            .expect("a vector takes everything, and there are no keys");
        text.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use livius_domain::{JobId, JobLanguage, JobOutcome, JobState, SessionId};

    use super::*;

    fn record(state: JobState, error: Option<&str>) -> JobRecord {
        JobRecord {
            version: 0,
            session: SessionId(7),
            id: JobId(3),
            language: JobLanguage::Python,
            state,
            error: error.map(str::to_owned),
        }
    }

    fn ended(outcome: JobOutcome) -> JobState {
        JobState::Ended {
            outcome,
            started: None,
            ended: Timestamp::UNIX_EPOCH,
        }
    }

    fn shown(record: &JobRecord, pieces: Option<&[&str]>) -> String {
        let (job, mut text) = (JobEnvelope::new(record), Vec::new());
        match pieces {
            None => job.bare(&mut text),
            Some(pieces) => {
                job.head(&mut text);
                for piece in pieces {
                    job.piece(piece, &mut text);
                }
                job.tail(&mut text);
            }
        }
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn jobs_look_as_livys() {
        let started = JobState::Started {
            started: Timestamp::UNIX_EPOCH,
        };
        for (record, pieces, expected) in [
            (
                record(JobState::Waiting, None),
                None,
                r#"{"id":3,"state":"SENT","result":null,"error":null}"#,
            ),
            (
                record(JobState::Sent, None),
                None,
                r#"{"id":3,"state":"QUEUED","result":null,"error":null}"#,
            ),
            (
                record(started, None),
                None,
                r#"{"id":3,"state":"STARTED","result":null,"error":null}"#,
            ),
            (
                record(ended(JobOutcome::Succeeded), None),
                Some(&["Zm9v", "Yg=="][..]),
                r#"{"id":3,"state":"SUCCEEDED","result":"Zm9vYg==","error":null}"#,
            ),
            (
                record(ended(JobOutcome::Succeeded), None),
                None,
                r#"{"id":3,"state":"SUCCEEDED","result":null,"error":null}"#,
            ),
            (
                record(ended(JobOutcome::Failed), Some("a \"b\"\n\tat c")),
                None,
                r#"{"id":3,"state":"FAILED","result":null,"error":"a \"b\"\n\tat c"}"#,
            ),
            (
                record(ended(JobOutcome::Cancelled), None),
                None,
                r#"{"id":3,"state":"CANCELLED","result":null,"error":null}"#,
            ),
        ] {
            assert_eq!(shown(&record, pieces), expected);
        }
    }

    #[test]
    fn whoever_submits_is_told_the_same_in_any_case() {
        let answer = record(ended(JobOutcome::Failed), Some("gone"));
        assert_eq!(
            serde_json::to_string(&JobAnswer::submitted(&answer)).unwrap(),
            r#"{"id":3,"state":"SENT","result":null,"error":null}"#
        );
    }
}
