//! `livius config`: shows the configuration and its keys.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::Context as _;
use camino::Utf8Path;
use serde_json::json;

use crate::cli::Config;
use crate::config::{Configuration, Flags, Import, ProcessEnvironment, Resolved, Sourced};
use crate::exit::Ending;
use crate::terminal;

/// Runs the command.
pub fn run(command: &Config) -> anyhow::Result<Ending> {
    match command {
        Config::Show { json, flags } => show(&flags.layer(), *json),
        Config::Reference => {
            terminal::say(crate::config::markdown().trim_end());
            Ok(Ending::Good)
        }
        Config::LivyReference => {
            terminal::say(crate::config::livy_markdown().trim_end());
            Ok(Ending::Good)
        }
        Config::Import { from, write } => import(from.as_deref(), write.as_deref()),
    }
}

fn show(flags: &Flags, json: bool) -> anyhow::Result<Ending> {
    let (Configuration { resolved, .. }, _) = super::load(flags)?;
    for note in resolved.notes() {
        terminal::complain(note);
    }
    terminal::say(&if json {
        as_json(&resolved)
    } else {
        as_text(&resolved)
    });
    Ok(Ending::Good)
}

/// Exit code 1 tells scripts that an administrator must read the list.
fn import(from: Option<&str>, write: Option<&Utf8Path>) -> anyhow::Result<Ending> {
    let import = crate::config::livy_import(from, &ProcessEnvironment::of_this_process())?;
    match write {
        None => terminal::say(import.document.trim_end()),
        Some(path) => {
            create(path, &import)?;
            terminal::say(&format!("wrote {path}\n{}", import.report.trim_end()));
        }
    }
    if import.settled {
        return Ok(Ending::Good);
    }
    terminal::complain("livius: keys are unknown or need a decision: see the list");
    Ok(Ending::Failed)
}

/// Creates a private file, because Spark configuration may hold secrets. Does not overwrite a file.
fn create(path: &Utf8Path, import: &Import) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(import.document.as_bytes()))
        .with_context(|| format!("cannot write {path}"))
}

fn as_text(resolved: &Resolved) -> String {
    let rows: Vec<(String, String)> = resolved
        .rows()
        .map(|(path, sourced)| {
            (
                format!("{path} = {}", shown(path, sourced)),
                sourced.origin.to_string(),
            )
        })
        .collect();
    let width = rows
        .iter()
        .map(|(left, _)| left.chars().count())
        .max()
        .unwrap_or(0)
        .min(70);
    let lines: Vec<String> = rows
        .iter()
        .map(|(left, origin)| format!("{left:<width$}  # {origin}"))
        .collect();
    lines.join("\n")
}

fn as_json(resolved: &Resolved) -> String {
    let entry = |(path, sourced): (&str, &Sourced)| {
        let value = match livius_domain::redact::value(path, &sourced.value.to_string()) {
            livius_domain::redact::REDACTED => livius_domain::redact::REDACTED.into(),
            _ => sourced.value.to_json(),
        };
        (
            path.to_owned(),
            json!({"value": value, "origin": sourced.origin.to_string()}),
        )
    };
    let object: serde_json::Map<String, serde_json::Value> = resolved.rows().map(entry).collect();
    format!("{:#}", serde_json::Value::Object(object))
}

/// The value with secrets redacted. Spark configuration may hold some.
fn shown(path: &str, sourced: &Sourced) -> String {
    livius_domain::redact::value(path, &sourced.value.to_string()).to_owned()
}
