//! The command line.

mod client;
mod error;
mod placement;

use std::ffi::OsString;

use camino::Utf8PathBuf;
use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::config::Flags;
use crate::config::sections::{java, logs, server, sessions, spark};
pub use client::{
    Kill, List, Logs, Run, SHELL_HELP, SUBMIT_HELP, ServerArguments, SessionArguments, Shell,
    Statements, Submit,
};
pub use error::ArgumentError;

/// A session server for Apache Spark that speaks the Apache Livy REST API.
#[derive(Debug, Parser)]
#[command(
    name = "livius",
    version,
    after_help = "Options may come before their command or after it.",
    max_term_width = 120,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows everything once: installs Spark if it is missing, starts a server, and runs a Spark job
    /// in a session
    Quickstart(Quickstart),
    /// Runs the server
    Serve(ServerFlags),
    /// Runs code in a session, as you type it or from a pipe
    #[command(after_help = SHELL_HELP)]
    Shell(Box<Shell>),
    /// Runs a file's code as one statement, and prints its output
    Run(Box<Run>),
    /// Runs an application as a batch, follows its log and exits with its result
    #[command(after_help = SUBMIT_HELP)]
    Submit(Box<Submit>),
    /// Lists the sessions
    Sessions(List),
    /// Lists the batches
    Batches(List),
    /// Lists a session's statements
    Statements(Statements),
    /// Prints the log of a session or a batch
    Logs(Logs),
    /// Deletes a session or a batch, with everything that it runs
    Kill(Kill),
    /// Finds Java and Spark, or installs them for this user, and prepares them
    Setup(Setup),
    /// Shows the Spark, Java, Python and R of this machine, the kinds of sessions that would work,
    /// and how to fix the others
    Doctor(Doctor),
    /// Shows the configuration
    #[command(subcommand)]
    Config(Config),
    /// Prints the OpenAPI document of the REST API
    Openapi,
    /// Prints the catalogue of failures of sessions and batches, in Markdown
    Errors,
    /// Looks after one driver; the server starts this itself
    #[command(hide = true)]
    Supervise {
        /// The driver's directory.
        dir: Utf8PathBuf,
    },
}

/// The commands about the configuration.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Prints every value and its origin
    Show {
        /// Prints JSON
        #[arg(long)]
        json: bool,
        /// The flags of `serve`.
        #[command(flatten)]
        flags: Box<ServerFlags>,
    },
    /// Prints the table of all keys, in Markdown
    Reference,
    /// Translates Livy's configuration to a livius.toml, and lists the keys that it leaves out, with
    /// the reasons
    Import {
        /// Livy's configuration directory, or one of its files [default: `$LIVY_CONF_DIR`, else `$LIVY_HOME/conf`]
        #[arg(long, value_name = "DIR|FILE")]
        from: Option<String>,
        /// Writes the livius.toml to this new file, and prints only the list
        #[arg(long, value_name = "FILE")]
        write: Option<Utf8PathBuf>,
    },
    /// Prints the table of Livy's keys and their meaning for Livius, in Markdown
    LivyReference,
}

/// Flags shared by all commands that load the configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonFlags {
    /// The configuration file [default: ~/.config/livius/livius.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
    /// Livy's configuration directory, or its livy.conf. The configuration file takes precedence
    #[arg(long, value_name = "DIR")]
    pub livy_conf: Option<String>,
    /// The directory for everything that the server keeps [default: ~/.local/share/livius]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// The Spark installation [default: `$SPARK_HOME`, else the one that `livius setup` made]
    #[arg(long, value_name = "DIR")]
    pub spark_home: Option<String>,
    /// The Java that runs drivers [default: `$JAVA_HOME`, else a suitable one]
    #[arg(long, value_name = "DIR")]
    pub java_home: Option<String>,
    /// The format of the log on standard error: text or json
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// The level of the log: error, warn, info, debug, trace, or directives
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Sets any key of the configuration; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// The flags of a server.
#[derive(Debug, Clone, Default, Args)]
pub struct ServerFlags {
    /// The flags of every command that loads the configuration.
    #[command(flatten)]
    pub common: CommonFlags,
    /// The address to listen on [default: 127.0.0.1:8998]; port 0 takes a free port
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// Allows an address that other machines can reach, although the server has no authentication:
    /// everyone who can reach it can run code as you
    #[arg(long)]
    pub allow_public_without_authentication: bool,
    /// Spark's master for every session [default: local[*], if the request names none]
    #[arg(long, value_name = "MASTER")]
    pub master: Option<String>,
    /// Spark configuration for every session; may be repeated
    #[arg(long, value_name = "NAME=TEXT")]
    pub conf: Vec<String>,
    /// Stops or keeps running sessions when the server shuts down
    #[arg(long, value_name = "stop|keep")]
    pub on_shutdown: Option<String>,
    /// Whether drivers wait for sessions, so that these start faster
    #[arg(long, value_name = "on|off")]
    pub pool: Option<String>,
}

/// The flags of `quickstart`.
#[derive(Debug, Args)]
pub struct Quickstart {
    /// Stops the server after the job
    #[arg(long)]
    pub exit: bool,
    /// The flags of the server.
    #[command(flatten)]
    pub flags: ServerFlags,
}

/// The flags of `setup`.
#[derive(Debug, Args)]
pub struct Setup {
    /// Installs this version of Spark in addition to existing ones, or `default`; may be repeated
    #[arg(long, value_name = "VERSION")]
    pub spark_version: Vec<String>,
    /// Prints the installations as JSON
    #[arg(long)]
    pub json: bool,
    /// The flags of every command that loads the configuration.
    #[command(flatten)]
    pub flags: CommonFlags,
}

/// The flags of `doctor`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each one is a flag of the command line"
)]
#[derive(Debug, Args)]
pub struct Doctor {
    /// Checks everything: compiles the agent if needed, and runs a small Spark job
    #[arg(long)]
    pub run: bool,
    /// Looks at the cluster of this master, too [default: the one of the configuration, if it is a
    /// cluster]
    #[arg(long, value_name = "MASTER")]
    pub master: Option<String>,
    /// Submits a small application to that cluster, in cluster mode, and tells whether its driver
    /// reaches the server; the application is ended again
    #[arg(long)]
    pub probe: bool,
    /// Lists, instead of all this, what drivers have left of which the server has no record: processes,
    /// files, and parts on Kubernetes
    #[arg(long, conflicts_with_all = ["run", "master", "probe"])]
    pub orphans: bool,
    /// Ends the application after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(10..=3600), requires = "probe")]
    pub probe_timeout: u64,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
    /// The flags of every command that loads the configuration.
    #[command(flatten)]
    pub flags: CommonFlags,
}

/// Reads the command line, or ends the process with an error message.
pub fn parse() -> Command {
    read(std::env::args_os().collect()).unwrap_or_else(|error| error.exit())
}

fn read(words: Vec<OsString>) -> Result<Command, clap::Error> {
    let root = Cli::command();
    let words = placement::after_the_command(&root, words);
    match Cli::try_parse_from(&words) {
        Ok(cli) => Ok(cli.command),
        Err(error) => Err(placement::explained(error, &root, &words)),
    }
}

impl CommonFlags {
    /// The flags as a layer of the configuration.
    pub fn layer(&self) -> Flags {
        let mut flags = Flags {
            config: self.config.clone(),
            livy_conf: self.livy_conf.clone(),
            set: self.set.clone(),
            ..Flags::default()
        };
        flags.add(&server::DATA_DIR, "--data-dir", self.data_dir.as_ref());
        flags.add(&spark::HOME, "--spark-home", self.spark_home.as_ref());
        flags.add(&java::HOME, "--java-home", self.java_home.as_ref());
        flags.add(&logs::FORMAT, "--log-format", self.log_format.as_ref());
        flags.add(&logs::LEVEL, "--log-level", self.log_level.as_ref());
        flags
    }
}

impl ServerFlags {
    /// The flags as a layer of the configuration.
    pub fn layer(&self) -> Flags {
        let mut flags = Flags {
            conf: self.conf.clone(),
            ..self.common.layer()
        };
        let public = self
            .allow_public_without_authentication
            .then(|| "true".to_owned());
        flags.add(
            &server::ALLOW_PUBLIC_WITHOUT_AUTHENTICATION,
            "--allow-public-without-authentication",
            public.as_ref(),
        );
        flags.add(&server::LISTEN, "--listen", self.listen.as_ref());
        flags.add(&spark::MASTER, "--master", self.master.as_ref());
        flags.add(
            &sessions::ON_SHUTDOWN,
            "--on-shutdown",
            self.on_shutdown.as_ref(),
        );
        flags.add(&sessions::POOL, "--pool", self.pool.as_ref());
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        let words = std::iter::once("livius").chain(line.split_whitespace());
        read(words.map(OsString::from).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_serve_reaches_the_configuration() {
        let line = "serve --config c.toml --livy-conf /etc/livy --data-dir d --spark-home s --java-home j --log-format json --log-level debug \
                    --set a.b=c --listen [::1]:1 --allow-public-without-authentication --master yarn --conf x=y \
                    --conf z=1 --on-shutdown keep --pool off";
        let Ok(Command::Serve(flags)) = parse(line) else {
            panic!("{line}")
        };
        let layer = flags.layer();
        assert_eq!(layer.config.as_deref(), Some("c.toml"));
        assert_eq!(layer.livy_conf.as_deref(), Some("/etc/livy"));
        assert_eq!(
            (layer.conf, layer.set),
            (
                vec!["x=y".to_owned(), "z=1".to_owned()],
                vec!["a.b=c".to_owned()]
            )
        );
        let values: Vec<String> = layer
            .values
            .iter()
            .map(|(key, flag, text)| format!("{flag} {}={text}", key.path))
            .collect();
        insta::assert_snapshot!(values.join("\n"), @r"
        --data-dir server.data_dir=d
        --spark-home spark.home=s
        --java-home java.home=j
        --log-format logs.format=json
        --log-level logs.level=debug
        --allow-public-without-authentication server.allow_public_without_authentication=true
        --listen server.listen=[::1]:1
        --master spark.master=yarn
        --on-shutdown sessions.on_shutdown=keep
        --pool sessions.pool=off
        ");
    }

    #[test]
    fn flags_that_are_not_given_set_nothing() {
        let Ok(Command::Serve(flags)) = parse("serve") else {
            panic!()
        };
        assert_eq!(flags.layer(), Flags::default());
    }

    #[test]
    fn every_command_parses() {
        let good = [
            "quickstart --exit --listen 127.0.0.1:0",
            "setup --spark-version 3.5.9 --spark-version default --json --data-dir d",
            "doctor --run --json --spark-home /opt/spark",
            "doctor --master yarn",
            "config show --json --listen 127.0.0.1:1",
            "config reference",
            "config livy-reference",
            "config import --from /etc/livy/conf --write livius.toml",
            "openapi",
            "errors",
            "supervise /tmp/driver",
            "shell",
            "shell --kind sql --session etl --url http://h:1 --header a:b --user me --timeout 5",
            "shell --name n --conf a=b --conf c=d --keep",
            "run job.py --json --session 3",
            "run - --kind r --driver-memory 2g",
            "submit job.py --jars a.jar,b.jar --num-executors 2 --kill-on-interrupt -- --flag x",
            "sessions --json",
            "batches",
            "statements 0",
            "logs 0 --batch -f --tail 5",
            "kill name --batch",
            "--url http://h:1 sessions --json",
            "--json --url http://h:1 statements 0",
            "--config c.toml --listen [::1]:0 serve",
            "--data-dir d config --json show",
        ];
        for line in good {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "",
            "serve --port 8998",
            "supervise",
            "config",
            "serve extra",
            "shell --session 0 --keep",
            "shell --session 0 --conf a=b",
            "shell --session 0 --name n",
            "shell --timeout 0",
            "submit job.py --no-wait --kill-on-interrupt",
            "submit job.py --flag-of-the-job",
            "logs",
            "run",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
