//! Livy's JSON: reading requests, writing answers.
//!
//! Purpose: what a client sends becomes a checked value of `domain`, or a text that says what to change; what the server knows
//! becomes exactly the keys, in the order, that Livy's clients expect. Non-goals: HTTP (status codes live in the edge) and
//! deciding anything about sessions.

pub mod redact;

mod answer;
mod completion_request;
mod error;
mod field;
mod json;
mod session_answer;
mod session_request;
mod statement_answer;
mod statement_request;

pub use answer::{
    Candidates, CompletionAnswer, ErrorMessage, LogAnswer, Message, SessionListAnswer, StateAnswer,
    VersionAnswer, quoted, session_list_head, session_list_tail,
};
pub use completion_request::{CompletionBody, CompletionRequest, read_completion};
pub use error::RequestError;
pub use json::{ReadOptions, decode, integer};
pub use session_answer::{AppInfoAnswer, SessionAnswer};
pub use session_request::{
    MAX_CONF_ENTRIES, MAX_LIST_ITEMS, MAX_SESSION_REQUEST_BYTES, SessionBody, read_session,
};
pub use statement_answer::{
    StatementAnswer, StatementEnvelope, StatementListAnswer, statement_list_head,
    statement_list_tail,
};
pub use statement_request::{StatementBody, StatementRequest, read_statement};
