//! Measures the server with more sessions and batches than a machine can run Spark for.
//!
//! The server is in this process, with its real store and real sockets. The agents are in a second
//! process, so that the memory of this one is the server's. Build it with `--release`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a program to measure with: it fails loudly, and ends with its tasks"
)]

mod agents;
mod batches;
mod sessions;

use clap::Parser;

/// Measures the server with many scripted sessions or batches.
#[derive(Parser)]
enum Command {
    /// Measures the memory of each live session, and the time of a GET of one of them.
    Sessions {
        #[arg(long, default_value_t = 10_000)]
        count: usize,
    },
    /// Measures a server with ended batches: the time to its first response, and of list pages.
    EndedBatches {
        #[arg(long, default_value_t = 100_000)]
        count: usize,
    },
    /// The agents of the sessions. The program starts this by itself.
    #[command(hide = true)]
    Agents { address: String },
}

#[tokio::main]
async fn main() {
    match Command::parse() {
        Command::Sessions { count } => sessions::measure(count).await,
        Command::EndedBatches { count } => batches::measure(count).await,
        Command::Agents { address } => agents::run(&address).await,
    }
}
