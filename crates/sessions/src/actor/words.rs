//! Texts for users: why a session was stopped, and why code has no result.

use livius_domain::{End, StatementId, StopCause};

use crate::shortened;

/// The length of a driver's error message that is kept, in bytes.
const ERROR_BYTES: usize = 64 << 10;

/// Tells why a session was stopped, in words that follow "stopped while the code ran".
pub(super) fn cause_words(cause: StopCause) -> &'static str {
    match cause {
        StopCause::User => "on request",
        StopCause::IdleTimeout => "it was idle for longer than its idleTimeout",
        StopCause::Ttl => "it reached its ttl",
        StopCause::Heartbeat => "no request named it within heartbeatTimeoutInSecond",
        StopCause::Shutdown => "the server was shut down",
        StopCause::StartTimeout => "its start took too long",
        StopCause::Unreachable => "its driver could not be reached any more",
    }
}

/// Tells why code lost its driver, for the author of the code.
pub(super) fn end_reason(end: &End) -> String {
    match (&end.failure, end.cause) {
        (Some(failure), _) => format!("{}. {}", failure.message, failure.hint),
        (None, Some(cause)) => format!(
            "the session was stopped while the code ran ({})",
            cause_words(cause)
        ),
        (None, None) => "the session ended while the code ran".to_owned(),
    }
}

/// Cuts a driver's error message that is too long to keep.
pub(super) fn shortened(text: String) -> String {
    shortened::shortened(text, ERROR_BYTES)
}

/// The output of a statement whose driver is gone, in Livy's form of an error.
pub(super) fn lost_output(id: StatementId, end: &End) -> String {
    error_output(id, "SessionEnded", &end_reason(end))
}

/// The output of a statement whose pieces did not all arrive.
pub(super) fn incomplete_output(id: StatementId) -> String {
    let reason = "the output did not arrive whole: run the statement again";
    error_output(id, "IncompleteOutput", reason)
}

/// A driver's output if it is JSON, else an error that says so: responses embed outputs as they
/// are.
pub(super) fn checked_output(id: StatementId, text: String) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => text,
        Err(error) => {
            let reason = format!("the driver's output is not JSON: {error}");
            error_output(id, "InvalidOutput", &reason)
        }
    }
}

/// The output of a statement whose end the server could not read.
pub(super) fn unreadable_output(id: StatementId, why: &str) -> String {
    error_output(id, "InvalidOutput", why)
}

/// The output of a statement whose own output made room for newer ones.
pub(crate) fn removed_output(id: StatementId, reason: &str) -> String {
    error_output(id, "OutputRemoved", reason)
}

fn error_output(id: StatementId, ename: &str, evalue: &str) -> String {
    serde_json::json!({
        "status": "error",
        "execution_count": id.0,
        "ename": ename,
        "evalue": evalue,
        "traceback": [],
    })
    .to_string()
}
