//! The HTTP edge: Livy's routes, our own, and the agents' WebSocket. It decides nothing.
//!
//! Purpose: to translate. A request becomes a call of [`livius_sessions::Sessions`] or
//! [`livius_sessions::Batches`], and the result becomes the bytes that clients expect. Non-goals:
//! state of any kind, and listening (the binary binds the port and serves the router).
//!
//! Each request passes `front` first, which normalises its path and method and adds the common
//! headers to the response. The router picks the handler and, with it, the interface: `livy` or
//! `v1`. Each interface has one type for errors (`livy::Refusal`, `v1::Problem`), and only these
//! know status codes.

mod agent;
mod audit;
mod awaited;
mod deadline;
mod face;
mod front;
mod keyed;
mod livy;
mod livy_state;
mod openapi;
mod options;
mod request;
mod response;
mod router;
mod state;
mod ui;
mod v1;

pub use options::Options;
pub use request::caller::AuthenticatedUser;
pub use request::crowded::Crowded;
pub use request::other_user::OtherUser;
pub use request::peer::PeerAddress;
pub use response::security_headers::SecurityHeaders;
pub use router::{agent_router, openapi, openapi_text, router};

/// The path that agents connect to.
pub const AGENT_PATH: &str = "/api/v1/agent";
