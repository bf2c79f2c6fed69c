//! What clients of Apache Livy rely on, as scenarios in files, and a runner that asks any server for it.
//!
//! A scenario sends requests exactly as written and says what must come back. Where Livius is better than Livy on purpose, the
//! scenario has both answers and the reason. Nothing here knows how a server works: it is asked over HTTP alone, so that the
//! same files judge an Apache Livy and a Livius.

mod answer;
pub mod beside;
mod document;
mod error;
mod exchange;
mod expectation;
mod keys;
mod pattern;
mod report;
mod request;
mod rules;
mod runner;
mod scenario;
mod step;
mod suite;
mod surface;
mod talk;
mod target;
mod variables;
mod version;
mod yaml;

pub use document::document;
pub use keys::{Key, KeyGroup, Keys};
pub use report::{Difference, Exchange, Outcome, Report, Verdict};
pub use rules::{Rule, Rules};
pub use runner::{Options, run};
pub use suite::{Group, Suite};
pub use surface::{Endpoint, Object, Parameter, Part, State, Surface, Values};
pub use target::{ServerKind, Target};
pub use version::LivyVersion;
