//! The nouns of Livius: ids, kinds, requests, records and the state machines of sessions and statements.
//!
//! Purpose: everything that can be decided without doing anything. Non-goals: I/O, clocks that tick, JSON as clients see it
//! (that is `wire`), SQL (that is `store`).

pub mod clock;
pub mod duration;
pub mod end;
pub mod error_chain;
pub mod ids;
pub mod kind;
pub mod limits;
pub mod name;
pub mod record;
pub mod request;
pub mod session;
pub mod statement;

pub use clock::{Clock, SystemClock};
pub use end::{End, Exit, Failure, FailureCode, Outcome, Phase, StopCause};
pub use error_chain::chain;
pub use ids::{DriverId, SessionId, StatementId};
pub use kind::Kind;
pub use limits::Limits;
pub use record::{AppInfo, DriverRecord, ProcessRecord, SessionRecord, StatementRecord};
pub use request::SessionRequest;
pub use session::{SessionEffect, SessionEvent, SessionState};
pub use statement::{StatementEffect, StatementEvent, StatementState};
