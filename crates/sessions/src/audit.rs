//! The audit log: a line for each request that is to change something, for each that is refused to
//! its caller, and for each end of a session or batch.
//!
//! A line has names, numbers and codes, and never a body, a query, code, configuration or a message:
//! these may hold secrets. No request waits for its line: the lines go through a bounded queue to a
//! writer, and those that find the queue full are counted and lost.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use livius_domain::{BatchEnd, BatchRecord, Clock, End, FailureCode, SessionRecord, StopCause};
use livius_metrics::Metrics;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

/// The lines that wait for the writer. Each is shorter than 8 KiB.
const WAITING: usize = 4_096;

/// The longest name in a line, in bytes.
const LONGEST: usize = 255;

/// An entry for the writer of the audit log.
#[derive(Debug)]
pub enum AuditEntry {
    /// A line, without its end.
    Line(String),
    /// Gets a message when the lines before it are written.
    Flush(oneshot::Sender<()>),
}

/// The way to the writer of the audit log. The default has none, and drops every line.
#[derive(Clone, Default)]
pub struct Audit(Option<Arc<Sink>>);

struct Sink {
    entries: mpsc::Sender<AuditEntry>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    has_reads: bool,
    is_behind: AtomicBool,
}

/// The line of a request. The caller of [`Audit::request`] has shortened its texts.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditedRequest<'a> {
    /// The id in `X-Request-Id`.
    pub request_id: &'a str,
    /// The authenticated user.
    pub user: Option<&'a str>,
    /// The user of `doAs`.
    pub do_as: Option<&'a str>,
    /// The address at the other end of the connection.
    pub peer: Option<IpAddr>,
    /// The method, after an override.
    pub method: &'a str,
    /// The template of the route; `None` if none matched.
    pub route: Option<&'a str>,
    /// The operation's name in the OpenAPI document.
    pub action: Option<&'a str>,
    /// The session of the path, by its number or name.
    pub session: Option<&'a str>,
    /// The batch of the path.
    pub batch: Option<&'a str>,
    /// The statement of the path.
    pub statement: Option<&'a str>,
    /// The job of the path.
    pub job: Option<&'a str>,
    /// The path of the session, batch, statement or job that the request made.
    pub made: Option<&'a str>,
    /// True if the response is that of an earlier request with the same key.
    pub replayed: bool,
    /// The status of the response. `None` if the client hung up before: what it asked for may have
    /// been done.
    pub status: Option<u16>,
    /// The name of the refusal or failure.
    pub code: Option<&'a str>,
    /// The time until the response.
    pub duration_ms: u64,
}

/// The line of an end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ended<'a, O> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<i32>,
    owner: Option<&'a str>,
    proxy_user: Option<&'a str>,
    outcome: O,
    cause: Option<StopCause>,
    code: Option<FailureCode>,
}

#[derive(Serialize)]
struct Line<'a, T> {
    time: Timestamp,
    event: &'static str,
    #[serde(flatten)]
    of: &'a T,
}

impl Audit {
    /// An audit log, and the entries that its writer receives. It has requests that only read if
    /// `has_reads` says so.
    pub fn new(
        clock: Arc<dyn Clock>,
        metrics: Metrics,
        has_reads: bool,
    ) -> (Self, mpsc::Receiver<AuditEntry>) {
        let (entries, receiver) = mpsc::channel(WAITING);
        let sink = Sink {
            entries,
            clock,
            metrics,
            has_reads,
            is_behind: AtomicBool::new(false),
        };
        (Self(Some(Arc::new(sink))), receiver)
    }

    /// Tells whether there is an audit log.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Tells whether it has requests that only read.
    pub fn has_reads(&self) -> bool {
        self.0.as_ref().is_some_and(|sink| sink.has_reads)
    }

    /// Writes the line of a request.
    pub fn request(&self, request: &AuditedRequest<'_>) {
        self.write("request", request);
    }

    /// Writes the line of a session's end.
    pub(crate) fn session_ended(&self, record: &SessionRecord, end: &End) {
        let ended = Ended {
            session: Some(record.id.0),
            batch: None,
            owner: record.owner.as_deref().map(shortened),
            proxy_user: record.proxy_user.as_deref().map(shortened),
            outcome: end.outcome,
            cause: end.cause,
            code: end.failure.as_ref().map(|failure| failure.code),
        };
        self.write("session_ended", &ended);
    }

    /// Writes the line of a batch's end.
    pub(crate) fn batch_ended(&self, record: &BatchRecord, end: &BatchEnd) {
        let ended = Ended {
            session: None,
            batch: Some(record.id.0),
            owner: record.owner.as_deref().map(shortened),
            proxy_user: record.proxy_user.as_deref().map(shortened),
            outcome: end.outcome,
            cause: end.cause,
            code: end.failure.as_ref().map(|failure| failure.code),
        };
        self.write("batch_ended", &ended);
    }

    fn write<T: Serialize>(&self, event: &'static str, of: &T) {
        let Some(sink) = &self.0 else {
            return;
        };
        let time = sink.clock.now();
        let line = serde_json::to_string(&Line { time, event, of });
        sink.send(line.expect("texts and numbers are JSON"));
    }

    /// Returns when all lines before are written, or cannot be.
    pub async fn flush(&self) {
        let Some(sink) = &self.0 else {
            return;
        };
        let (written, told) = oneshot::channel();
        if sink.entries.send(AuditEntry::Flush(written)).await.is_ok() {
            let _ = told.await;
        }
    }
}

/// The beginning of a name, with at most 255 bytes.
pub fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST)]
}

impl Sink {
    fn send(&self, line: String) {
        let is_lost = self.entries.try_send(AuditEntry::Line(line)).is_err();
        let was_behind = self.is_behind.swap(is_lost, Ordering::Relaxed);
        if is_lost {
            self.metrics.audit_lines_lost.with(["queue"]).inc();
        }
        if is_lost && !was_behind {
            tracing::error!(
                "the audit log cannot be written as fast as requests come; lines are lost"
            );
        }
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Audit").field(&self.is_on()).finish()
    }
}

#[cfg(test)]
mod tests {
    use livius_domain::SystemClock;

    use super::*;

    #[test]
    fn a_line_that_finds_the_queue_full_is_counted_and_no_one_waits() {
        let metrics = Metrics::default();
        let (audit, entries) = Audit::new(Arc::new(SystemClock), metrics.clone(), false);
        let lost = || metrics.audit_lines_lost.with(["queue"]).get();
        for _ in 0..WAITING {
            audit.request(&AuditedRequest::default());
        }
        assert_eq!(lost(), 0);
        audit.request(&AuditedRequest::default());
        audit.request(&AuditedRequest::default());
        assert_eq!(lost(), 2);
        drop(entries);
    }
}
