//! Livy's words for refusals. Some clients search for them, so they are exact.

use livius_domain::JobId;
use livius_domain::name::InvalidName;

/// The prefix of Livy for the reason why it does not create a session or a batch.
pub const REQUEST_REJECTED: &str = "Rejected, Reason: ";

/// The server has as many sessions as it allows.
pub const TOO_MANY_SESSIONS: &str = "Rejected, too many sessions are being created!";

/// The session has no such statement.
pub const STATEMENT_NOT_FOUND: &str = "Statement not found";

/// The session has no such job.
pub fn job_not_found(job: JobId) -> String {
    format!("Job '{job}' not found.")
}

/// A session or a batch is not there. Livy calls both a session.
pub fn not_found(name: &str) -> String {
    format!("Session '{name}' not found.")
}

/// Another session or batch has the name.
pub fn duplicate_name(name: &str, attempted: i32) -> String {
    format!("Duplicate session name: Some({name}) for session {attempted}")
}

/// The name is not allowed.
pub fn invalid_name(error: &InvalidName) -> String {
    format!("Invalid session name: {}", error.name)
}

/// The request sets configuration keys that it may not set.
pub fn blocked_conf(keys: &[String]) -> String {
    let keys = keys.join(", ");
    format!("Blacklisted configuration values in session config: {keys}")
}

/// A local file must be named by an absolute path.
pub fn relative_path(path: &str) -> String {
    format!("requirement failed: Path '{path}' is not absolute.")
}

/// A local file lies outside of the directories that requests may use.
pub fn file_not_allowed(path: &str) -> String {
    format!("requirement failed: Local path {path} cannot be added to user sessions.")
}

/// A statement names the kind `shared`.
pub const SHARED_STATEMENT: &str =
    "Invalid kind: shared. A statement runs as one of spark, pyspark, pyspark3, sparkr, sql";

/// A statement names no kind, and its session has none.
pub const STATEMENT_NEEDS_KIND: &str =
    "Code type should be specified if session kind is shared: add \"kind\" to the statement";

/// A completion names no kind, and its session has none.
pub const COMPLETION_NEEDS_KIND: &str =
    "Code type should be specified if session kind is shared: add \"kind\"";

/// The caller may not run as another user.
pub fn impersonation(caller: &str, target: &str) -> String {
    format!("User '{caller}' not allowed to impersonate 'Some({target})'.")
}

/// The session does not take statements in this state.
pub fn session_in_state(state: &str) -> String {
    format!("java.lang.IllegalStateException: Session is in state {state}")
}

/// The session does not take jobs or files any more.
pub const INACTIVE: &str = "requirement failed: Session isn't active.";
