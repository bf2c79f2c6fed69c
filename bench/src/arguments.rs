//! The command line.

use clap::{Args, Parser, Subcommand};

use crate::target::Target;

#[derive(Parser, Debug)]
#[command(about = "Measures and compares servers that speak the Livy API")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Measures servers in turn, and prints a table with their ratios.
    Compare(Plan),
    /// Submits many batches to one server at once, and follows them to their end.
    Batches(Load),
}

/// The options of a comparison.
#[derive(Args, Debug, Clone)]
pub struct Plan {
    /// A server, as NAME=URL or NAME=URL,pid=PID. May be repeated: ratios are to the first one.
    #[arg(long = "server", required = true, value_name = "NAME=URL[,pid=PID]")]
    pub servers: Vec<Target>,
    /// A Spark installation: also measures its own pyspark and spark-shell.
    #[arg(long, value_name = "DIR")]
    pub bare: Option<String>,
    /// How often each server starts a session of each kind.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// The kinds of the sessions.
    #[arg(long, value_delimiter = ',', default_value = "pyspark,spark,sql")]
    pub kinds: Vec<String>,
    /// Statements for each latency, in each round.
    #[arg(long, default_value_t = 100)]
    pub statements: usize,
    /// The time for which GETs are counted, in milliseconds.
    #[arg(long, default_value_t = 2_000)]
    pub reads_ms: u64,
    /// The number of sessions that are created at once; 0 leaves this out.
    #[arg(long, default_value_t = 10)]
    pub burst: usize,
    /// The number of idle streams of events; 0 leaves this out. A server lets one client have 1000 of
    /// them, unless `server.max_waits_per_client` says otherwise.
    #[arg(long, default_value_t = 500)]
    pub streams: usize,
    /// The size of the long output, in megabytes; 0 leaves this out.
    #[arg(long, default_value_t = 50)]
    pub output_mb: usize,
    /// The longest wait for the long output, in seconds.
    #[arg(long, default_value_t = 60)]
    pub output_limit_s: u64,
    /// The longest wait for the servers to come to rest before a session starts, in seconds. Needs
    /// their process ids.
    #[arg(long, default_value_t = 60)]
    pub rest_limit_s: u64,
    /// Also writes all figures to this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<String>,
}

/// The options of a load of batches.
#[derive(Args, Debug, Clone)]
pub struct Load {
    /// The server, as NAME=URL or NAME=URL,pid=PID.
    #[arg(long, value_name = "NAME=URL[,pid=PID]")]
    pub server: Target,
    /// How many.
    #[arg(long, default_value_t = 1_000)]
    pub count: usize,
    /// The application, as a path on the server.
    #[arg(long)]
    pub file: String,
    /// The timeout until all have ended, in seconds.
    #[arg(long, default_value_t = 1_800)]
    pub limit_s: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read() {
        let words = "livius-bench compare --server livy=http://h:1,pid=7 --server b=http://h:2/x/ --kinds sql,spark";
        let Command::Compare(plan) = Arguments::parse_from(words.split(' ')).command else {
            panic!("another command")
        };
        assert_eq!(plan.servers[0].pid, Some(7));
        assert_eq!(plan.servers[1].url, "http://h:2/x");
        assert_eq!(plan.kinds, ["sql", "spark"]);
        assert_eq!((plan.rounds, plan.bare), (3, None));
    }

    #[test]
    fn a_comparison_needs_a_server() {
        assert!(Arguments::try_parse_from(["livius-bench", "compare"]).is_err());
    }
}
