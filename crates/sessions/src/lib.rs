//! The application: one actor per session, the registry, timeouts and recovery.
//!
//! Purpose: to decide. It persists first, acts second, publishes third. Non-goals: HTTP, SQL, processes.

mod actor;
mod board;
mod config;
mod error;
mod janitor;
mod lifecycle;
mod log;
mod registry;
mod request;
mod service;
mod view;

pub use config::{Config, Impersonation, LocalFiles, ShutdownPolicy};
pub use error::{AttachRefused, ErrorKind, SessionError};
pub use lifecycle::Lifecycle;
pub use service::Sessions;
pub use view::{
    Caller, LogPage, NewStatement, Order, OutputView, Page, SessionRef, SessionView, StatementView,
};
