//! Arguments of the commands that are clients of a server.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::Args;
use livius_client::{Credentials, ServerOptions, SparkOptions};

use super::error::ArgumentError;
use crate::config::ProcessEnvironment;

/// The end of `livius shell --help`, and the response to `:help` in the shell.
pub const SHELL_HELP: &str = "\
Enter runs a complete statement: Python with a block after a blank line, Scala and R
when all brackets are closed, SQL after a semicolon or a blank line.
Alt-Enter starts a new line, Tab completes, Ctrl-C cancels the running statement, Ctrl-D quits.

  %sql CODE      runs one statement of another kind: sql, pyspark, spark or sparkr; %%sql for several lines
  :kind [KIND]   shows or changes the kind of the statements
  :session       shows the session
  :log [LINES]   shows the end of the session's log
  :help, :quit

From a pipe, the shell runs one statement after the other, and exits with 1 if one failed.";

/// The end of `livius submit --help`.
pub const SUBMIT_HELP: &str = "\
Standard output has the application's log. Standard error has the command's own messages.

The exit code is 0 if the application succeeded. Otherwise it is the application's own exit code if the server knows it (Livius does), \
and 1 if not. It is 128 plus the signal's number if a signal ended the application, and 137 if the batch was killed or deleted.

Ctrl-C ends the command with exit code 130. The batch continues, unless --kill-on-interrupt is given.

Example: livius submit --class org.example.Job job.jar -- 2026-11-21 --dry-run";

/// The server, and the headers and credentials that it needs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArguments {
    /// The server, with its path prefix if it has one [default: `$LIVIUS_URL`, else <http://127.0.0.1:8998>]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A header for every request, or @FILE with one header per line; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Signs in with this name and the password in `$LIVIUS_PASSWORD`
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The timeout of one request
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
}

/// The Spark part of a request. A relative path of an existing file becomes absolute if the server
/// is on this machine.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Spark")]
pub struct SparkArguments {
    /// Spark configuration; may be repeated
    #[arg(long, value_name = "NAME=TEXT")]
    pub conf: Vec<String>,
    /// Jars for the driver and the executors, separated by commas; may be repeated
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub jars: Vec<String>,
    /// Python files and archives for the Python path
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub py_files: Vec<String>,
    /// Files for the working directories
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub files: Vec<String>,
    /// Archives to unpack into the working directories
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
    /// The number of executors
    #[arg(long, value_name = "COUNT")]
    pub num_executors: Option<u32>,
    /// The queue of the cluster
    #[arg(long, value_name = "QUEUE")]
    pub queue: Option<String>,
    /// The user to run as
    #[arg(long, value_name = "USER")]
    pub proxy_user: Option<String>,
}

/// The session for the code: an existing one or a new one.
#[derive(Debug, Clone, Default, Args)]
pub struct SessionArguments {
    /// The session to use. Without it, the command creates a session and deletes it at the end
    #[arg(long, value_name = "ID|NAME", conflicts_with_all = ["name", "keep", "SparkArguments"])]
    pub session: Option<String>,
    /// The name of the new session
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Keeps the new session at the end
    #[arg(long)]
    pub keep: bool,
    /// The Spark part of the request for a new session.
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
    /// Prints the statement as JSON, as the server shows it
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
    /// The number or name of the session or batch
    #[arg(value_name = "ID|NAME")]
    pub which: String,
    /// Names a batch instead of a session
    #[arg(long)]
    pub batch: bool,
    /// Keeps printing until the session or batch has ended
    #[arg(long, short)]
    pub follow: bool,
    /// Starts with this number of lines at the end
    #[arg(long, value_name = "LINES")]
    pub tail: Option<u32>,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The arguments of `kill`.
#[derive(Debug, Args)]
pub struct Kill {
    /// The number or name of the session or batch
    #[arg(value_name = "ID|NAME")]
    pub which: String,
    /// Names a batch instead of a session
    #[arg(long)]
    pub batch: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The arguments of `submit`.
#[derive(Debug, Args)]
pub struct Submit {
    /// The application: a jar, a Python file or an R file that the server can read
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
    /// Prints the batch's number, and does not wait for its end
    #[arg(long)]
    pub no_wait: bool,
    /// Deletes the batch, which ends it, if the command is interrupted. Without it, the batch
    /// continues
    #[arg(long, conflicts_with = "no_wait")]
    pub kill_on_interrupt: bool,
    /// The Spark part of the request.
    #[command(flatten)]
    pub spark: SparkArguments,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

impl ServerArguments {
    /// Options of the client: the flags first, then the environment.
    pub fn options(
        &self,
        environment: &ProcessEnvironment,
    ) -> Result<ServerOptions, ArgumentError> {
        let url = self.url.as_deref();
        let credentials = |user: &String| {
            let password = environment.get("LIVIUS_PASSWORD");
            Ok(Credentials {
                user: user.clone(),
                password: password.ok_or(ArgumentError::NoPassword)?.to_owned(),
            })
        };
        Ok(ServerOptions {
            url: url
                .or_else(|| environment.get("LIVIUS_URL"))
                .map(str::to_owned),
            headers: headers(&self.headers)?,
            credentials: self.user.as_ref().map(credentials).transpose()?,
            timeout: Duration::from_secs(self.timeout),
        })
    }
}

/// Reads `NAME: VALUE`, or `@FILE` with one header on each line.
fn headers(arguments: &[String]) -> Result<Vec<(String, String)>, ArgumentError> {
    let mut headers = Vec::new();
    for argument in arguments {
        let Some(path) = argument.strip_prefix('@') else {
            headers.push(header(argument)?);
            continue;
        };
        let lines = std::fs::read_to_string(path).map_err(|source| ArgumentError::HeaderFile {
            path: path.to_owned(),
            source,
        })?;
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            headers.push(header(line)?);
        }
    }
    Ok(headers)
}

fn header(text: &str) -> Result<(String, String), ArgumentError> {
    let (name, value) = text.split_once(':').ok_or_else(|| ArgumentError::Header {
        name: text.to_owned(),
    })?;
    Ok((name.to_owned(), value.to_owned()))
}

impl SparkArguments {
    /// Options of the client.
    pub fn options(&self) -> Result<SparkOptions, ArgumentError> {
        Ok(SparkOptions {
            conf: self
                .conf
                .iter()
                .map(|text| conf(text))
                .collect::<Result<_, _>>()?,
            jars: self.jars.clone(),
            py_files: self.py_files.clone(),
            files: self.files.clone(),
            archives: self.archives.clone(),
            driver_memory: self.driver_memory.clone(),
            driver_cores: self.driver_cores,
            executor_memory: self.executor_memory.clone(),
            executor_cores: self.executor_cores,
            num_executors: self.num_executors,
            queue: self.queue.clone(),
            proxy_user: self.proxy_user.clone(),
        })
    }
}

fn conf(text: &str) -> Result<(String, String), ArgumentError> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.trim().is_empty())
        .ok_or_else(|| ArgumentError::Conf {
            text: text.to_owned(),
        })?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(
        url: Option<&str>,
        headers: &[&str],
        user: Option<&str>,
        environment: &[(&str, &str)],
    ) -> Result<ServerOptions, String> {
        let arguments = ServerArguments {
            url: url.map(str::to_owned),
            headers: headers.iter().map(|text| (*text).to_owned()).collect(),
            user: user.map(str::to_owned),
            timeout: 5,
        };
        arguments
            .options(&ProcessEnvironment::invented(environment, "/"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_flag_wins_over_the_environment() {
        let environment = [("LIVIUS_URL", "https://gate/livy/")];
        let url = |flag, environment| options(flag, &[], None, environment).unwrap().url;
        let flag = url(Some("http://h:1"), &environment);
        assert_eq!(flag.as_deref(), Some("http://h:1"));
        assert_eq!(
            url(None, &environment).as_deref(),
            Some("https://gate/livy/")
        );
        assert_eq!(url(None, &[]), None);
    }

    #[test]
    fn headers_and_credentials_are_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "Authorization: Bearer a:b\n\nX-B: 2\n").unwrap();
        let from_file = format!("@{}", file.path().display());
        let environment = [("LIVIUS_PASSWORD", "pst")];
        let read = options(None, &["X-A: 1", &from_file], Some("me"), &environment).unwrap();
        let expected = [
            ("X-A", " 1"),
            ("Authorization", " Bearer a:b"),
            ("X-B", " 2"),
        ];
        assert_eq!(
            read.headers,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let credentials = read.credentials.unwrap();
        assert_eq!(
            (credentials.user.as_str(), credentials.password.as_str()),
            ("me", "pst")
        );
    }

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        for header in ["", "no colon", "@/none/such"] {
            assert!(options(None, &[header], None, &[]).is_err(), "{header:?}");
        }
        let error = options(None, &[], Some("me"), &[]).unwrap_err();
        assert!(error.contains("LIVIUS_PASSWORD"), "{error}");
        for text in ["novalue", "=x", " =x"] {
            let arguments = SparkArguments {
                conf: vec![text.to_owned()],
                ..SparkArguments::default()
            };
            assert!(arguments.options().is_err(), "{text:?}");
        }
        let pair = conf(" a =b=c").unwrap();
        assert_eq!(pair, ("a".to_owned(), "b=c".to_owned()));
    }
}
