//! The behaviour that clients of Apache Livy rely on, as scenarios in files, and a runner for any
//! server.
//!
//! A scenario sends requests exactly as written and describes the responses. If Livius improves on
//! Livy on purpose, the scenario holds both responses and the reason. The runner uses HTTP only
//! and knows nothing about the server's implementation, so the same files test an Apache Livy and a
//! Livius.

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
