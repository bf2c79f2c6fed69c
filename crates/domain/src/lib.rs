//! The nouns of Livius: ids, kinds, requests, records and the state machines of sessions,
//! statements, jobs and batches.
//!
//! Purpose: everything that can be decided without doing anything. Non-goals: I/O, clocks that
//! tick, JSON as clients see it (that is `wire`), SQL (that is `store`).

#![warn(missing_docs)]

pub mod app;
pub mod batch;
pub mod clock;
pub mod driver;
pub mod duration;
pub mod end;
pub mod error_chain;
pub mod failure;
pub mod hex;
pub mod hours;
pub mod ids;
pub mod job;
pub mod kind;
pub mod limits;
pub mod live;
pub mod made;
pub mod name;
pub mod notice;
mod outlook;
pub mod phase;
pub mod pool;
pub mod record;
pub mod redact;
pub mod request;
pub mod session;
pub mod statement;
pub mod stop;

pub use app::AppInfo;
pub use batch::{BatchEffect, BatchEnd, BatchEvent, BatchOutcome, BatchState};
pub use clock::{Clock, SystemClock};
pub use driver::{
    Departure, DriverEffect, DriverEnd, DriverEvent, DriverLocation, DriverProgram, DriverRecord,
    DriverState, DriverTimes, DriverUse, Lease, Link, StartPhase, StartStep, Unseen, Verdict,
};
pub use end::{End, Exit, Outcome};
pub use error_chain::{chain, root_cause};
pub use failure::{Evidence, Failure, FailureCode};
pub use hours::Hours;
pub use ids::{BatchId, DriverId, JobId, ResourceId, SessionId, StatementId};
pub use job::{
    JobEffect, JobEvent, JobLanguage, JobOutcome, JobState, ResourceSource, ResourceState,
    ResourceUse,
};
pub use kind::Kind;
pub use limits::Limits;
pub use live::{OutputStream, StageProgress};
pub use made::Made;
pub use notice::{Notice, NoticedFailure, Webhook};
pub use outlook::{Expiry, QueuePlace};
pub use phase::Phase;
pub use record::{
    BatchRecord, BatchTimes, JobRecord, ResourceRecord, SessionRecord, StatementRecord,
};
pub use request::{BatchRequest, NewJob, NewStatement, SessionRequest, SubmitOptions};
pub use session::{SessionEffect, SessionEvent, SessionState};
pub use statement::{StatementEffect, StatementEvent, StatementState};
pub use stop::StopCause;
