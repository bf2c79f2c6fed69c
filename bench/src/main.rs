//! Measures a Livy server over its wire: the same program runs against Apache Livy and against Livius.
//!
//! It prints one line per figure, `name value unit`, so that two runs can be laid side by side. The machine's noise is in every figure:
//! a comparison is a ratio of two runs on one machine at one time.

mod batches;
mod client;
mod figures;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use crate::batches::Load;
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
    /// Measures batches instead: this many are submitted at once.
    #[arg(long, requires = "file")]
    batches: Option<usize>,
    /// The application of these batches, as the server is to find it.
    #[arg(long)]
    file: Option<String>,
    /// How long these batches may take in all, in seconds.
    #[arg(long, default_value_t = 1_800)]
    limit_s: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let client = Client::new(&arguments.url, arguments.poll_ms)?;
    if let Some(pid) = arguments.pid {
        figures::memory("server-memory-idle", pid)?;
    }
    if let (Some(count), Some(file)) = (arguments.batches, arguments.file) {
        let load = Load {
            count,
            file,
            limit: Duration::from_secs(arguments.limit_s),
        };
        return batches::at_once(client, load, arguments.pid).await;
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
