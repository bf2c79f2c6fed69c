//! The client commands against a scripted server, and against the real one. No test here needs
//! Spark.

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
