//! `livius config`: what is configured, and what can be.

use serde_json::json;

use crate::cli::Config;
use crate::config::{Flags, Resolved, Sourced};
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
    }
}

fn show(flags: &Flags, json: bool) -> anyhow::Result<Ending> {
    let (resolved, _) = super::resolve(flags)?;
    terminal::say(&if json {
        as_json(&resolved)
    } else {
        as_text(&resolved)
    });
    Ok(Ending::Good)
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
        let value = match wire::redact::value(path, &sourced.value.to_string()) {
            wire::redact::REDACTED => wire::redact::REDACTED.into(),
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

/// The value without secrets: Spark configuration may hold some.
fn shown(path: &str, sourced: &Sourced) -> String {
    wire::redact::value(path, &sourced.value.to_string()).to_owned()
}
