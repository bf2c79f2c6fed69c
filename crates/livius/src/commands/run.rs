//! `livius run`: runs a file as one statement.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use livius_client::session::Session;
use livius_client::{ClientError, Statement, language};

use crate::cli::Run;
use crate::commands::evaluation::{self, Evaluation, Live};
use crate::commands::{connection, workplace};
use crate::config::ProcessEnvironment;
use crate::exit::Ending;
use crate::runtime::on_runtime;
use crate::server::Signals;
use crate::terminal::put;

/// Runs the command.
pub fn run(arguments: &Run) -> anyhow::Result<Ending> {
    let environment = ProcessEnvironment::of_this_process();
    let livy = connection::open(&arguments.server, &environment)?;
    let kind = match (&arguments.kind, language::of_file(&arguments.file)) {
        (Some(kind), _) => Some(language::canonical(kind)),
        (None, Some(kind)) => Some(kind.to_owned()),
        // An existing session has a kind.
        (None, None) if arguments.session.session.is_some() => None,
        (None, None) => bail!(
            "the name {:?} does not tell the kind of code: say it with --kind",
            arguments.file
        ),
    };
    let code = read(&arguments.file)?;
    on_runtime(async {
        let mut signals = Signals::listen()?;
        let session =
            workplace::open(&livy, &arguments.session, kind.as_deref(), &environment).await?;
        let ending = work(
            &session,
            &code,
            kind.as_deref(),
            arguments.json,
            &mut signals,
        )
        .await;
        workplace::close(&session, &arguments.session, &mut signals).await;
        Ok(ending?)
    })
}

fn read(file: &Utf8Path) -> anyhow::Result<String> {
    if file != "-" {
        return std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"));
    }
    let mut code = String::new();
    std::io::stdin()
        .read_to_string(&mut code)
        .context("cannot read standard input")?;
    Ok(code)
}

async fn work(
    session: &Session,
    code: &str,
    kind: Option<&str>,
    as_json: bool,
    signals: &mut Signals,
) -> Result<Ending, ClientError> {
    if let Some(signal) = workplace::await_ready(session, signals).await? {
        return Ok(Ending::Interrupted(signal.number()));
    }
    let kind = session.first_kind(kind);
    let code = language::to_send(code, &kind);
    let live = if as_json {
        Live::progress()
    } else {
        Live::whole()
    };
    let Evaluation { statement, signal } =
        evaluation::evaluate(session, code, &kind, signals, &live).await?;
    let succeeded = statement.as_ref().is_some_and(|statement| {
        if as_json {
            print_json(statement)
        } else {
            evaluation::print(statement, &live)
        }
    });
    Ok(match signal {
        Some(signal) => Ending::Interrupted(signal.number()),
        None if succeeded => Ending::Good,
        None => Ending::Failed,
    })
}

/// Prints the statement, and returns whether it succeeded.
fn print_json(statement: &Statement) -> bool {
    // A closed pipe is not an error.
    let _ = serde_json::to_string(statement).map(|text| put(&format!("{text}\n")));
    matches!(
        livius_client::output::shown(statement),
        livius_client::output::Shown::Good(_)
    )
}
