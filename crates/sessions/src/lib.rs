//! The application: one actor per session or batch, the registries, timeouts and recovery.
//!
//! Purpose: to decide. It persists first, acts second, publishes third. Non-goals: HTTP, SQL,
//! processes.

mod action;
mod actor;
mod admission;
mod atomic_timestamp;
mod audit;
mod batches;
mod board;
mod byte_room;
mod changes;
mod config;
mod core;
mod detail;
mod driver;
mod drivers;
mod ended_logs;
mod entry;
mod error;
mod executors;
mod expiry;
mod feed;
mod history;
mod janitor;
mod judged;
mod keys;
mod lifecycle;
mod live_output;
mod logbook;
mod mailbox;
mod message;
mod open_jobs;
mod policy;
mod pools;
mod preview;
mod reconcile;
mod registry;
mod request;
mod rescue;
mod results;
mod secret;
mod service;
mod shortened;
mod sweep;
mod view;
mod webhooks;

pub use action::Action;
pub use audit::{Audit, AuditEntry, AuditedRequest, shortened as shortened_for_audit};
pub use batches::{ActingOnBatches, BatchFeed, Batches, ReportRefused};
pub use changes::{BatchChange, ChangeFeed, SessionChange};
pub use config::{Config, Impersonation, LocalFiles, PoolSettings, ShutdownPolicy, Webhooks};
pub use detail::{BatchDetail, SessionDetail};
pub use driver::AgentAccess;
pub use drivers::DriverStatus;
pub use error::{AttachRefused, ErrorKind, SessionError};
pub use executors::ExecutorList;
pub use feed::{Change, Feed};
pub use keys::{Claim, KEPT_ANSWER_BYTES, KeyView, Keyed, Keys};
pub use lifecycle::Lifecycle;
pub use live_output::{LiveOutput, Place, Printed};
pub use livius_launch::{FileContent, LaunchPreview, LogNews, LogPlace};
pub use livius_store::{Found, KeptAnswer, KeyRecord, Part, Search, Start, Visible, Window};
pub use logbook::{LogFollower, Logbook};
pub use policy::{AllowAll, Caller, Policy, Subject};
pub use preview::Preview;
pub use service::{ActingOnSessions, SessionFeed, Sessions, Upload};
pub use view::{
    BatchRef, BatchStatus, BatchView, JobView, LogPage, NewUpload, OutputView, SessionRef,
    SessionStatus, SessionView, StatementView,
};
pub use webhooks::WEBHOOK_HEADER;
