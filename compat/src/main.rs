//! `livius-compat`: tests whether a server behaves as Livy's clients expect.

#![expect(clippy::print_stdout, reason = "a command line tool prints its result")]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Parser;
use livius_compat::{
    Keys, LivyVersion, Options, Report, ServerKind, Suite, Surface, Target, beside, document, run,
};
use serde_json::Value;

/// Runs the scenarios of compat/scenarios against a server. The exit code is 1 if any response
/// differs from the expected one.
#[derive(Parser)]
struct Arguments {
    /// The server, such as `http://127.0.0.1:8998`
    #[arg(long, required_unless_present = "document")]
    url: Option<String>,
    /// The server's kind, livy or livius; read from `/version` when left out
    #[arg(long)]
    server: Option<ServerKind>,
    /// The version of Livy, such as 0.8, with `--server livy`; otherwise read from `/version`
    #[arg(long, requires = "server")]
    livy_version: Option<LivyVersion>,
    /// Only scenarios whose file and name contain this text
    #[arg(long)]
    only: Option<String>,
    /// Only scenarios with this tag: `no-spark`, `spark` or `session`
    #[arg(long)]
    tag: Option<String>,
    /// Skips scenarios with this tag: `session` for a server that can run batches only
    #[arg(long)]
    without: Option<String>,
    /// The timeout of each wait and of each response, in seconds. Use more on a busy machine, where
    /// a session starts slowly
    #[arg(long, default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,
    /// Writes all requests and responses to a JSON file
    #[arg(long)]
    report: Option<PathBuf>,
    /// A second server: shows where its responses differ from the first one's
    #[arg(long)]
    beside: Option<String>,
    /// A header of every request, as `Name: value`
    #[arg(long = "header")]
    headers: Vec<String>,
    /// A value for the scenarios, as `name=value`; `app` is the path of compat/applications/app.py
    /// as the server sees it
    #[arg(long = "set")]
    variables: Vec<String>,
    /// Another directory of scenarios
    #[arg(long)]
    scenarios: Option<PathBuf>,
    /// Prints docs/COMPATIBILITY.md
    #[arg(long)]
    document: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let suite = match &arguments.scenarios {
        Some(directory) => Suite::read(directory)?,
        None => Suite::own()?,
    };
    if arguments.document {
        print!("{}", document(&suite, &Surface::own()?, &Keys::own()?));
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options {
        only: arguments.only.clone(),
        tag: arguments.tag.clone(),
        without: arguments.without.clone(),
        variables: variables(&arguments.variables)?,
    };
    let ask = |url: &str, kind, version: Option<LivyVersion>| -> anyhow::Result<Report> {
        let mut target = Target::new(url, kind, headers(&arguments.headers)?)?;
        target.version = version.or(target.version);
        target.patience = Duration::from_secs(arguments.patience);
        let report = run(&suite, &target, &options);
        println!("{}", report.table());
        Ok(report)
    };
    let url = arguments.url.as_deref().unwrap_or_default();
    let mut reports = vec![ask(url, arguments.server, arguments.livy_version)?];
    if let Some(url) = &arguments.beside {
        reports.push(ask(url, None, None)?);
        println!("< {}\n> {}", reports[0].url, reports[1].url);
        println!("{}", beside::differences(&reports[0], &reports[1]));
    }
    if let Some(path) = &arguments.report {
        fs::write(path, serde_json::to_string_pretty(&reports)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if reports.iter().all(Report::is_clean) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn headers(texts: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let split = |text: &String| {
        let (name, value) = text
            .split_once(':')
            .ok_or_else(|| anyhow!("--header {text}: write Name: value"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    texts.iter().map(split).collect()
}

fn variables(texts: &[String]) -> anyhow::Result<std::collections::BTreeMap<String, Value>> {
    let app = Suite::directory()
        .with_file_name("applications")
        .join("app.py");
    let mut variables =
        std::collections::BTreeMap::from([("app".to_owned(), Value::from(app.to_string_lossy()))]);
    for text in texts {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| anyhow!("--set {text}: write name=value"))?;
        variables.insert(name.to_owned(), Value::from(value));
    }
    Ok(variables)
}
