//! A client of any server that speaks Livy's REST API. The commands `livius shell`, `run`, `submit`
//! and the lists are built on it.
//!
//! Purpose of this crate: requests and answers, logs that grow, output as text, and editing code on
//! a terminal. Non-goals: the command line, and printing. The crate takes its own option structs and
//! returns values; callers pass a sink or a callback where they want to show something. Only
//! [`input::Editor`] draws on the terminal, because it edits there.
//!
//! Nothing relies on the server being Livius. Two things ask Livius for more, and do without it
//! elsewhere: [`batch::outcome`] for the reason of a failure, and [`live`] for what a statement prints
//! while it runs.

pub mod batch;
pub mod entries;
mod events;
pub mod follow;
pub mod input;
mod key;
pub mod language;
pub mod live;
pub mod log;
pub mod output;
pub mod request;
pub mod session;
pub mod statement;
pub mod table;
pub mod text;

mod answers;
mod error;
mod livy;
mod pace;
mod reference;
mod target;

pub use answers::{Entry, Stage, Statement};
pub use error::ClientError;
pub use livy::Livy;
pub use reference::{Collection, Reference};
pub use request::SparkOptions;
pub use target::{Credentials, ServerOptions, Target, TargetError};
