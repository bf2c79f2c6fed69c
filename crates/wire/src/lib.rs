//! Livy's JSON: reads requests and writes responses.
//!
//! Purpose: to turn a request into a checked value of `domain`, or into a text that says how to fix
//! it, and to turn what the server knows into exactly the keys that Livy's clients expect, in their
//! order. Non-goals: HTTP (status codes live in the edge) and decisions about sessions.

#![warn(missing_docs)]

pub mod livy;

mod answer;
mod application_report;
mod base64;
mod batch_answer;
mod batch_detail_answer;
mod batch_request;
mod completion_request;
mod detail_answer;
mod driver_answer;
mod error;
mod event_answer;
mod executors_answer;
mod field;
mod job_answer;
mod job_request;
mod json;
mod key_answer;
mod page_answer;
mod pools_answer;
mod preview_answer;
mod problem_answer;
mod redact;
mod resource_request;
mod session_answer;
mod session_detail_answer;
mod session_request;
mod session_start_answer;
mod statement_answer;
mod statement_request;
mod status_answer;
mod submit_options;

pub use answer::{
    Candidates, CompletionAnswer, ErrorMessage, LogAnswer, Message, SessionListAnswer, StateAnswer,
    VersionAnswer, quoted, session_list_head, session_list_tail,
};
pub use application_report::{ApplicationReport, read_application_report};
pub use batch_answer::{BatchAnswer, BatchListAnswer};
pub use batch_detail_answer::{
    BatchDetailAnswer, BatchEndAnswer, BatchKnowledge, BatchMoreAnswer, FailureAnswer,
};
pub use batch_request::{BatchBody, MAX_ARGUMENT_BYTES, MAX_ARGUMENTS_BYTES, read_batch};
pub use completion_request::{CompletionBody, CompletionRequest, read_completion};
pub use detail_answer::{ExpiryAnswer, LinksAnswer, QueueAnswer};
pub use driver_answer::{DriverAnswer, DriverKnowledge, DriverPageAnswer, InterpreterAnswer};
pub use error::RequestError;
pub use event_answer::{
    GoneAnswer, LogEventAnswer, OutputEventAnswer, PartialOutputAnswer, PartialTextAnswer,
    StageAnswer, StatementEndAnswer, StatementEventAnswer,
};
pub use executors_answer::{ExecutorAnswer, ExecutorsAnswer};
pub use job_answer::{JobAnswer, JobEnvelope, JobPageAnswer, ListedJobAnswer};
pub use job_request::{JobBody, read_job};
pub use json::{ReadOptions, decode, integer};
pub use key_answer::{KeyAnswer, MadeAnswer};
pub use page_answer::{BatchPageAnswer, SessionPageAnswer};
pub use pools_answer::{
    MissReasonAnswer, PoolAnswer, PoolFailureAnswer, PooledDriverAnswer, PoolsAnswer,
};
pub use preview_answer::{PreviewAnswer, StartPreview, StartPreviewAnswer};
pub use problem_answer::ProblemAnswer;
pub use resource_request::{FileForm, JarForm, ResourceBody, read_resource};
pub use session_answer::{AppInfoAnswer, SessionAnswer};
pub use session_detail_answer::{
    SessionDetailAnswer, SessionEndAnswer, SessionKnowledge, SessionMoreAnswer,
};
pub use session_request::{SessionBody, read_session};
pub use session_start_answer::{
    PoolMissAnswer, SessionStartAnswer, StartPoolAnswer, StartStepAnswer,
};
pub use statement_answer::{
    StatementAnswer, StatementEnvelope, StatementListAnswer, statement_list_head,
    statement_list_tail,
};
pub use statement_request::{StatementBody, read_statement};
pub use status_answer::{AbsentAnswer, StatusAnswer, StatusEntryAnswer};
pub use submit_options::{MAX_CONF_ENTRIES, MAX_LIST_ITEMS, MAX_SUBMIT_REQUEST_BYTES};
