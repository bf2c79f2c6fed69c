//! Livius: a session server for Apache Spark that speaks the Apache Livy REST API.
//!
//! Purpose of this crate: the command line, the configuration, and assembling the other crates.
//! Non-goals: deciding anything about sessions, knowing how Spark is started.

mod cli;
mod commands;
mod config;
mod exit;
mod failpoint;
mod logging;
mod memory;
mod runtime;
mod server;
mod terminal;

fn main() -> std::process::ExitCode {
    commands::run(cli::parse())
}
