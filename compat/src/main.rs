//! `livius-compat`: asks a server whether it is what Livy's clients expect.

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

/// Runs the scenarios of compat/scenarios against a server. The exit code is 1 if any answer differs from what is expected.
#[derive(Parser)]
struct Arguments {
    /// The server, such as `http://127.0.0.1:8998`
    #[arg(long, required_unless_present = "document")]
    url: Option<String>,
    /// Whose answers to expect, livy or livius; asked of `/version` when left out
    #[arg(long)]
    server: Option<ServerKind>,
    /// Which Livy it is, such as 0.8, where `--server livy` says what it is; else `/version` tells
    #[arg(long, requires = "server")]
    livy_version: Option<LivyVersion>,
    /// Only scenarios whose file and name have this text
    #[arg(long)]
    only: Option<String>,
    /// Only scenarios with this tag: `no-spark`, `spark` or `session`
    #[arg(long)]
    tag: Option<String>,
    /// Scenarios with this tag are passed over: `session` for a server that can run batches alone
    #[arg(long)]
    without: Option<String>,
    /// How many seconds to wait for what takes its time
    #[arg(long, default_value_t = 180)]
    patience: u64,
    /// Writes everything that was asked and answered to a JSON file
    #[arg(long)]
    report: Option<PathBuf>,
    /// A second server: shows where its answers differ from the first one's
    #[arg(long)]
    beside: Option<String>,
    /// A header that every request gets, as `Name: value`
    #[arg(long = "header")]
    headers: Vec<String>,
    /// A value for the scenarios, as `name=value`; `app` is the path of compat/applications/app.py as the server sees it
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
        patience: Some(Duration::from_secs(arguments.patience)),
        variables: variables(&arguments.variables)?,
    };
    let ask = |url: &str, kind, version: Option<LivyVersion>| -> anyhow::Result<Report> {
        let mut target = Target::new(url, kind, headers(&arguments.headers)?)?;
        target.version = version.or(target.version);
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
