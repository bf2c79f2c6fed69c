//! `docs/COMPATIBILITY.md`: what of Livy's interface works here, made from `surface.yaml` and the scenarios.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::expectation::Expectation;
use crate::scenario::Scenario;
use crate::step::Step;
use crate::suite::Suite;
use crate::yaml;

const INTRODUCTION: &str = "\
# Compatibility with Apache Livy

Every endpoint, and every field of requests and answers, of Apache Livy 0.2 to 0.9: whether it works here, and where Livius differs on purpose.

This file is made by `cargo xtask codegen` from `compat/surface.yaml` and the scenarios in `compat/scenarios/`. The tests hold it against
`schemas/openapi.json`, and the scenarios against a running server: a line here that no longer holds fails them. How to run the same
scenarios against a server of your own is in `compat/README.md`. Configuration keys are in `docs/LIVY-CONFIGURATION.md`.
";

/// All that Livy's interface has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    /// Every path with each of its methods.
    pub endpoints: Vec<Endpoint>,
    /// What requests and answers are made of.
    pub objects: Vec<Object>,
    /// What changed between Livy's versions, and which side is taken.
    versions: Vec<Change>,
}

/// An endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The method and the path, as in the OpenAPI document.
    pub endpoint: String,
    since: String,
    /// Whether it is here.
    pub state: State,
    #[serde(default)]
    note: String,
    /// The rules that say how it must be.
    pub rules: Vec<String>,
}

/// An object that requests or answers are made of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    #[serde(rename = "object")]
    title: String,
    /// Its name in the OpenAPI document; none while it is not there.
    pub schema: Option<String>,
    /// In Livy's order.
    pub fields: Vec<ObjectField>,
}

/// A field of an object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectField {
    /// Its key.
    pub name: String,
    since: String,
    /// Whether it is here.
    #[serde(default)]
    pub state: State,
    #[serde(default)]
    note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    version: String,
    was: String,
    here: String,
}

/// Whether something is as Livy's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As there.
    #[default]
    Works,
    /// On purpose.
    Differs,
    /// It is still missing.
    NotYet,
    /// It has no meaning here.
    NotApplicable,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Differs => "differs on purpose",
            Self::NotYet => "not there yet",
            Self::NotApplicable => "not applicable",
        }
    }

    /// Whether Livius has it.
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Works | Self::Differs)
    }
}

impl Surface {
    /// The one of this repository.
    pub fn own() -> anyhow::Result<Self> {
        yaml::read(&Self::path())
    }

    fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("surface.yaml")
    }
}

/// The document.
pub fn document(suite: &Suite, surface: &Surface) -> String {
    let mut text = INTRODUCTION.to_owned();
    endpoints(&mut text, surface);
    objects(&mut text, surface);
    versions(&mut text, surface);
    differences(&mut text, suite);
    rules(&mut text, suite);
    text
}

fn row(text: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| {
            cell.replace('|', "\\|")
                .replace('\n', " ")
                .trim()
                .to_owned()
        })
        .collect();
    writeln!(text, "| {} |", cells.join(" | ")).expect("a String takes everything");
}

fn table(text: &mut String, heading: &str, columns: &[&str]) {
    text.push('\n');
    text.push_str(heading);
    text.push_str("\n\n");
    row(text, columns);
    row(text, &vec!["---"; columns.len()]);
}

fn endpoints(text: &mut String, surface: &Surface) {
    table(
        text,
        "## Endpoints",
        &["Endpoint", "Since Livy", "Here", "Note"],
    );
    for one in &surface.endpoints {
        let name = format!("`{}`", one.endpoint);
        row(text, &[&name, &one.since, one.state.words(), &one.note]);
    }
}

fn objects(text: &mut String, surface: &Surface) {
    text.push_str("\n## Fields\n");
    for object in &surface.objects {
        table(
            text,
            &format!("### {}", object.title),
            &["Field", "Since Livy", "Here", "Note"],
        );
        for field in &object.fields {
            let name = format!("`{}`", field.name);
            row(
                text,
                &[&name, &field.since, field.state.words(), &field.note],
            );
        }
    }
}

fn versions(text: &mut String, surface: &Surface) {
    table(
        text,
        "## What changed between Livy's versions",
        &["Version", "There", "Here"],
    );
    for change in &surface.versions {
        row(text, &[&change.version, &change.was, &change.here]);
    }
}

/// Where scenarios expect something else of Livius than of Livy.
fn differences(text: &mut String, suite: &Suite) {
    table(
        text,
        "## Where Livius differs on purpose",
        &["What is asked", "Livy", "Livius", "Why"],
    );
    let mut told = BTreeSet::new();
    for (_, scenario) in suite.scenarios() {
        for (index, step) in scenario.steps.iter().enumerate() {
            let (Some(livy), Some(livius), Some(reason)) = (&step.livy, &step.livius, &step.reason)
            else {
                continue;
            };
            // One row of a scenario shows what the others do, too.
            if told.insert((&scenario.template, index)) {
                let asked = asked(scenario, step);
                row(text, &[&asked, &shown(livy), &shown(livius), reason]);
            }
        }
    }
}

fn asked(scenario: &Scenario, step: &Step) -> String {
    format!("{} (`{}`)", scenario.name, step.send)
}

fn shown(expectation: &Expectation) -> String {
    /// A hint is enough: the scenario has it all.
    const LONGEST: usize = 110;
    let mut parts = Vec::new();
    if let Some(status) = &expectation.status {
        parts.push(status.to_string());
    }
    let body = match (&expectation.json, &expectation.text) {
        _ if !expectation.but.is_empty() => {
            serde_json::to_string(&expectation.but).unwrap_or_default()
        }
        (Some(json), _) => json.to_string(),
        (None, Some(text)) if text.is_empty() => "no body".to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => String::new(),
    };
    if !body.is_empty() {
        let short: String = body.chars().take(LONGEST).collect();
        let dots = if short.len() < body.len() { "…" } else { "" };
        parts.push(format!("`{}{dots}`", short.replace('`', "'")));
    }
    let headers = expectation.headers.iter();
    parts.extend(headers.map(|(name, value)| match value {
        Value::Null => format!("no header `{name}`"),
        value => format!("`{name}: {}`", value.as_str().unwrap_or_default()),
    }));
    if let Some(continued) = expectation.continued {
        parts.push(if continued { "100 first" } else { "no 100" }.to_owned());
    }
    parts.join(" ")
}

fn rules(text: &mut String, suite: &Suite) {
    table(
        text,
        "## What clients rely on",
        &["Rule", "Clients", "Scenarios"],
    );
    for rule in suite.rules.all() {
        let pinning = || {
            let all = suite.scenarios();
            all.filter(|(_, scenario)| scenario.pins.contains(&rule.id))
        };
        let files: BTreeSet<&str> = pinning().map(|(file, _)| file.name.as_str()).collect();
        let files = files.into_iter().collect::<Vec<_>>().join(", ");
        let waiting = pinning().all(|(_, scenario)| scenario.pending.is_some());
        let shown = match &rule.unpinned {
            Some(why) => format!("none: {why}"),
            None if waiting => format!("{files} (pending)"),
            None => format!("{files} ({})", pinning().count()),
        };
        let name = format!("<a id=\"{id}\"></a>`{id}`: {}", rule.rule, id = rule.id);
        row(
            text,
            &[&name, rule.clients.as_deref().unwrap_or_default(), &shown],
        );
    }
}
