//! Measures a Livy server over HTTP. The same program runs against Apache Livy and against Livius.
//!
//! It prints one line per figure, `name value unit`, so that two runs can be compared. Every figure
//! contains the machine's noise. Compare only ratios of two runs on one machine at one time.

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
    /// The polling interval of a client, in milliseconds.
    #[arg(long, default_value_t = 5)]
    poll_ms: u64,
    /// Kinds to measure.
    #[arg(long, value_delimiter = ',', default_value = "pyspark,spark")]
    kinds: Vec<String>,
    /// Measures batches instead: submits this many at once.
    #[arg(long, requires = "file")]
    batches: Option<usize>,
    /// The application of these batches, as a path on the server.
    #[arg(long)]
    file: Option<String>,
    /// The timeout of all these batches, in seconds.
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
