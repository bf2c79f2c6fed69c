//! Measures a Livy server over its wire: the same program runs against Apache Livy and against Livius.
//!
//! It prints one line per figure, `name value unit`, so that two runs can be laid side by side. The machine's noise is in every figure:
//! a comparison is a ratio of two runs on one machine at one time.

mod client;
mod figures;

use anyhow::Result;
use clap::Parser;

use crate::client::Client;

#[derive(Parser)]
#[command(about = "Measures a Livy server")]
struct Arguments {
    /// The server's address.
    #[arg(long, default_value = "http://127.0.0.1:8998")]
    url: String,
    /// The server's process, to read its memory.
    #[arg(long)]
    pid: Option<u32>,
    /// Statements for each latency.
    #[arg(long, default_value_t = 200)]
    statements: usize,
    /// How often a client looks for its result, in milliseconds.
    #[arg(long, default_value_t = 5)]
    poll_ms: u64,
    /// Kinds to measure.
    #[arg(long, value_delimiter = ',', default_value = "pyspark,spark")]
    kinds: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let client = Client::new(&arguments.url, arguments.poll_ms)?;
    if let Some(pid) = arguments.pid {
        figures::memory("server-memory-idle", pid)?;
    }
    for kind in &arguments.kinds {
        figures::kind(&client, kind, arguments.statements).await?;
    }
    figures::creation(&client).await?;
    if let Some(pid) = arguments.pid {
        figures::memory("server-memory-after", pid)?;
    }
    Ok(())
}
