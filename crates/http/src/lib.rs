//! The HTTP edge: Livy's routes, the agent's WebSocket, and nothing that decides.
//!
//! Purpose: to translate. A request becomes a call of [`livius_sessions::Sessions`] or [`livius_sessions::Batches`], its answer becomes the bytes that Livy's clients
//! expect. Non-goals: state of any kind, and listening (the binary binds and serves the router).
//!
//! A request passes `front` first: there its path and method are brought into their plain form, and there every answer gets its
//! common headers and its deadline. Status codes of refusals are known in `error` alone.

mod agent;
mod answer;
mod batch_details;
mod batches;
mod body;
mod body_room;
mod browser;
mod completion;
mod csrf;
mod error;
mod extract;
mod front;
mod job_stream;
mod jobs;
mod leftover;
mod list_stream;
mod logs;
mod metrics;
mod multipart;
mod openapi;
mod options;
mod packing;
mod page;
mod path;
mod query;
mod resources;
mod router;
mod security_headers;
mod server;
mod sessions;
mod state;
mod statement_stream;
mod statements;
mod stream;
mod ui;
mod upload_body;
mod uploads;

pub use agent::AGENT_PATH;
pub use options::Options;
pub use router::{openapi, openapi_text, router};
pub use security_headers::SecurityHeaders;
