//! The arguments of the commands that talk to a server.

use camino::Utf8PathBuf;
use clap::Args;

/// Where the server is, and what it wants to see.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArguments {
    /// The server, with the path that it is mounted at, if any [default: `$LIVIUS_URL`, else <http://127.0.0.1:8998>]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A header of every request, or @FILE with one on each line; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Signs in with this name, and the password in `$LIVIUS_PASSWORD`
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// How long one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
}

/// What Spark is asked for. A path that is relative and names a file here becomes absolute when the server is on this machine.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Spark")]
pub struct SparkArguments {
    /// Spark configuration; may be repeated
    #[arg(long, value_name = "NAME=TEXT")]
    pub conf: Vec<String>,
    /// Jars for the driver and the executors, with commas between them or repeated
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub jars: Vec<String>,
    /// Python files and archives for the Python path
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub py_files: Vec<String>,
    /// Files for the working directories
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub files: Vec<String>,
    /// Archives that are unpacked there
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub archives: Vec<String>,
    /// The driver's memory, such as 2g
    #[arg(long, value_name = "SIZE")]
    pub driver_memory: Option<String>,
    /// The driver's cores
    #[arg(long, value_name = "COUNT")]
    pub driver_cores: Option<u32>,
    /// An executor's memory
    #[arg(long, value_name = "SIZE")]
    pub executor_memory: Option<String>,
    /// An executor's cores
    #[arg(long, value_name = "COUNT")]
    pub executor_cores: Option<u32>,
    /// How many executors
    #[arg(long, value_name = "COUNT")]
    pub num_executors: Option<u32>,
    /// The queue of the cluster
    #[arg(long, value_name = "QUEUE")]
    pub queue: Option<String>,
    /// The user that it runs as
    #[arg(long, value_name = "USER")]
    pub proxy_user: Option<String>,
}

/// The session that code runs in: one that is there, or a new one.
#[derive(Debug, Clone, Default, Args)]
pub struct SessionArguments {
    /// The session to use; without this a new one is made, and deleted at the end
    #[arg(long, value_name = "ID|NAME", conflicts_with_all = ["name", "keep", "SparkArguments"])]
    pub session: Option<String>,
    /// The name of the new session
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Does not delete the new session at the end
    #[arg(long)]
    pub keep: bool,
    /// What the new session asks of Spark.
    #[command(flatten)]
    pub spark: SparkArguments,
}

/// The arguments of `shell`.
#[derive(Debug, Args)]
pub struct Shell {
    /// The kind of code: pyspark, spark, sql or sparkr [default: the session's, else pyspark]
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// The session.
    #[command(flatten)]
    pub session: SessionArguments,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The file with the code; - is standard input
    pub file: Utf8PathBuf,
    /// The kind of code: pyspark, spark, sql or sparkr [default: by the file's extension: py, scala or sc, sql, r]
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Prints the whole statement, as the server shows it
    #[arg(long)]
    pub json: bool,
    /// The session.
    #[command(flatten)]
    pub session: SessionArguments,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The arguments of `sessions` and `batches`.
#[derive(Debug, Args)]
pub struct List {
    /// Prints one JSON array, with the entries as the server shows them
    #[arg(long)]
    pub json: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The arguments of `statements`.
#[derive(Debug, Args)]
pub struct Statements {
    /// The session's number or name
    #[arg(value_name = "ID|NAME")]
    pub session: String,
    /// Prints one JSON array, with the statements as the server shows them
    #[arg(long)]
    pub json: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The arguments of `logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// The number or name of the session, or batch
    #[arg(value_name = "ID|NAME")]
    pub which: String,
    /// It is a batch
    #[arg(long)]
    pub batch: bool,
    /// Goes on printing until the session or batch has ended
    #[arg(long, short)]
    pub follow: bool,
    /// Begins with the last lines only
    #[arg(long, value_name = "LINES")]
    pub tail: Option<u32>,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The arguments of `kill`.
#[derive(Debug, Args)]
pub struct Kill {
    /// The number or name of the session, or batch
    #[arg(value_name = "ID|NAME")]
    pub which: String,
    /// It is a batch
    #[arg(long)]
    pub batch: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The arguments of `submit`.
#[derive(Debug, Args)]
pub struct Submit {
    /// The application: a jar, a Python file or an R file, as the server can read it
    pub file: String,
    /// The application's own arguments
    #[arg(last = true)]
    pub arguments: Vec<String>,
    /// The main class of a jar
    #[arg(long = "class", value_name = "CLASS")]
    pub class_name: Option<String>,
    /// The batch's name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Prints the batch's number and does not wait
    #[arg(long)]
    pub no_wait: bool,
    /// Deletes the batch, and so ends it, when the command is interrupted; without this the batch goes on
    #[arg(long, conflicts_with = "no_wait")]
    pub kill_on_interrupt: bool,
    /// What it asks of Spark.
    #[command(flatten)]
    pub spark: SparkArguments,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}
