//! Livy's names for our states, and its words for refusals. Clients compare both.

mod names;
mod words;

pub use names::{BatchState, SessionState, job_state, kind, statement_state};
pub use words::{
    COMPLETION_NEEDS_KIND, INACTIVE, REQUEST_REJECTED, SHARED_STATEMENT, STATEMENT_NEEDS_KIND,
    STATEMENT_NOT_FOUND, TOO_MANY_SESSIONS, blocked_conf, duplicate_name, file_not_allowed,
    impersonation, invalid_name, job_not_found, not_found, relative_path, session_in_state,
};
