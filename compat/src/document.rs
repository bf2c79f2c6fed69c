//! Generates `docs/COMPATIBILITY.md`, the list of Livy's interface with its state in Livius, from
//! `surface.yaml` and the scenarios.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::expectation::Expectation;
use crate::keys::Keys;
use crate::scenario::Scenario;
use crate::step::Step;
use crate::suite::Suite;
use crate::surface::{Parameter, Part, State, Surface};

const INTRODUCTION: &str = "\
# Compatibility with Apache Livy

This file lists every endpoint, parameter, field, value and configuration key of Apache Livy 0.2 to
0.9. It says for each whether it works here, and where Livius differs on purpose.

`cargo xtask codegen` generates this file from `compat/surface.yaml`, the scenarios in
`compat/scenarios/`, and the server's own registry of Livy's keys. Tests compare the routes,
parameters, fields and values with `schemas/openapi.json`, and run the scenarios against a real
server. The notes and `Since Livy` are written by hand. `compat/README.md` says how to run the
scenarios against your own server.

The scenarios ran against two Livys with Spark 3.5.9. Of 400 scenarios, 346 passed against the main
branch with its interpreters (0.10.0-SNAPSHOT, commit fc4202ea, on 2026-11-29). 3 responses differed,
and the scenarios now expect them; 50 were skipped, and the setup of one file timed out. Against Livy
0.7.1, which was published without interpreters, all 223 scenarios passed that need no session (on
2026-11-21).

| mark | meaning |
|---|---|
";

const MEANINGS: [&str; 4] = [
    "as with Livy 0.9",
    "as with Livy 0.9, except for the difference in the note",
    "it comes later; until then the server refuses or ignores it, as the note says",
    "it has no meaning here, for the reason in the note",
];

const KEYS: &str = "
## Configuration keys

[LIVY-CONFIGURATION.md](LIVY-CONFIGURATION.md) has the same table with the defaults, and says how
the server reads Livy's files. The note of a key that works names the setting that it becomes. The
server does not start with a key that is marked **protects** until the administrator has decided. If
a key has two spellings, `Since Livy` is the version of the older one; `none` means that no release
up to 0.9 has the key.
";

/// The document.
pub fn document(suite: &Suite, surface: &Surface, all: &Keys) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (state, meaning) in State::ALL.into_iter().zip(MEANINGS) {
        row(&mut text, &[state.words(), meaning]);
    }
    endpoints(&mut text, surface);
    parameters(&mut text, surface);
    table(
        &mut text,
        "## Headers",
        &["Header", "Since Livy", "Here", "Note"],
    );
    parts(&mut text, &surface.headers);
    objects(&mut text, surface);
    values(&mut text, surface);
    keys(&mut text, all);
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

fn parameters(text: &mut String, surface: &Surface) {
    table(
        text,
        "## Query parameters",
        &["Parameter", "Of", "Since Livy", "Here", "Note"],
    );
    for one in &surface.parameters {
        let name = format!("`{}`", one.parameter);
        let place = place(one);
        row(
            text,
            &[&name, &place, &one.since, one.state.words(), &one.note],
        );
    }
}

fn place(parameter: &Parameter) -> String {
    if !parameter.place.is_empty() {
        return parameter.place.clone();
    }
    let endpoints = parameter.endpoints.iter();
    let endpoints: Vec<String> = endpoints.map(|one| format!("`{one}`")).collect();
    endpoints.join(", ")
}

fn objects(text: &mut String, surface: &Surface) {
    text.push_str("\n## Fields\n");
    for object in &surface.objects {
        table(
            text,
            &format!("### {}", object.title),
            &["Field", "Since Livy", "Here", "Note"],
        );
        parts(text, &object.fields);
    }
}

fn values(text: &mut String, surface: &Surface) {
    text.push_str("\n## Values\n");
    for values in &surface.values {
        table(
            text,
            &format!("### {}", values.title),
            &["Value", "Since Livy", "Here", "Note"],
        );
        parts(text, &values.of);
    }
}

fn parts(text: &mut String, parts: &[Part]) {
    for part in parts {
        let name = format!("`{}`", part.name);
        row(text, &[&name, &part.since, part.state.words(), &part.note]);
    }
}

fn keys(text: &mut String, all: &Keys) {
    text.push_str(KEYS);
    for group in &all.groups {
        table(
            text,
            &format!("### {}", group.heading),
            &["Key", "Since Livy", "Here", "Note"],
        );
        for key in &group.keys {
            // These texts already are table cells.
            writeln!(
                text,
                "| {} | {} | {} | {} |",
                key.name, key.since, key.mark, key.here
            )
            .expect("a String takes everything");
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

/// The places where scenarios expect a different response from Livius than from Livy.
fn differences(text: &mut String, suite: &Suite) {
    table(
        text,
        "## Where Livius differs on purpose\n\n`compat/README.md` explains the patterns. The table shows only the first row of a scenario.",
        &["Request", "Livy", "Livius", "Reason"],
    );
    let mut told = BTreeSet::new();
    for (_, scenario) in suite.scenarios() {
        for (index, step) in scenario.steps.iter().enumerate() {
            let (Some(livy), Some(livius), Some(reason)) = (&step.livy, &step.livius, &step.reason)
            else {
                continue;
            };
            // One row of a scenario is enough: the others show the same.
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
    /// A short form is enough: the scenario holds the whole text.
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
        let shown = match &rule.unpinned {
            Some(why) => format!("none: {why}"),
            None => format!("{files} ({})", pinning().count()),
        };
        let name = format!("<a id=\"{id}\"></a>`{id}`: {}", rule.rule, id = rule.id);
        row(
            text,
            &[&name, rule.clients.as_deref().unwrap_or_default(), &shown],
        );
    }
}
