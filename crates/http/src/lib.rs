//! The HTTP edge: Livy's routes, the agent's WebSocket, and nothing that decides.
//!
//! Purpose: to translate. A request becomes a call of [`livius_sessions::Sessions`] or [`livius_sessions::Batches`], its answer becomes the bytes that Livy's clients
//! expect. Non-goals: state of any kind, and listening (the binary binds and serves the router).
//!
//! A request passes `front` first: there its path and method are brought into their plain form, and there every answer gets its
//! common headers and its deadline. Status codes of refusals are known in `error` alone.

mod agent;
mod deadline;
mod face;
mod front;
mod livy;
mod openapi;
mod options;
mod request;
mod response;
mod router;
mod state;
mod ui;
mod v1;

pub use options::Options;
pub use response::security_headers::SecurityHeaders;
pub use router::{openapi, openapi_text, router};

/// Where agents connect.
pub const AGENT_PATH: &str = "/api/v1/agent";
