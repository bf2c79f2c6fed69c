//! A client of any server that speaks Livy's REST API: what the commands `shell`, `run`, `submit` and their kin are made of.
//!
//! Nothing here knows the command line or prints results; what a server says is told as values. Nothing relies on Livius being the server,
//! but [`batch::outcome`], which asks for more than Livy knows and does without it elsewhere.

pub mod batch;
pub mod entries;
pub mod follow;
pub mod input;
pub mod language;
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
mod status;
mod target;

pub use answers::{Entry, Statement};
pub use error::ClientError;
pub use livy::Livy;
pub use reference::{Collection, Reference};
pub use status::StatusLine;
pub use target::{Target, TargetError};
