//! The commands that talk to a server, against a server that answers what a test says, and against the real one. Nothing here needs Spark.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod batches;
mod code;
#[path = "../common/server.rs"]
mod common;
mod listing;
mod real;
mod requests;
mod scripted;
mod terminal;
