//! The rules of the house that no compiler checks: which crate may name which, and how long a file may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::steps::{cargo, output, root, tell};

/// Which crates of ours a crate may depend on; tests may name more.
const MAY_DEPEND_ON: [(&str, &[&str]); 9] = [
    ("livius-domain", &[]),
    ("livius-wire", &["livius-domain"]),
    ("livius-client", &["livius-domain"]),
    ("livius-store", &["livius-domain"]),
    ("livius-store-sqlite", &["livius-domain", "livius-store"]),
    ("livius-agent-link", &["livius-domain"]),
    ("livius-spark-home", &["livius-domain"]),
    ("livius-launch", &["livius-domain", "livius-spark-home"]),
    (
        "livius-sessions",
        &[
            "livius-domain",
            "livius-store",
            "livius-agent-link",
            "livius-launch",
        ],
    ),
    (
        "livius-http",
        &[
            "livius-domain",
            "livius-store",
            "livius-agent-link",
            "livius-sessions",
            "livius-wire",
        ],
    ),
];

/// Who alone may depend on something that others are kept apart from.
const KEPT_BY: [(&str, &[&str]); 6] = [
    ("axum", &["livius-http", "livius", "livius-testkit"]),
    ("sqlx", &["livius-store-sqlite"]),
    ("livius-store-sqlite", &["livius", "livius-testkit"]),
    ("rustyline", &["livius-client"]),
    ("clap", &["livius", "livius-bench", "livius-compat"]),
    (
        "anyhow",
        &[
            "livius",
            "livius-testkit",
            "xtask",
            "livius-bench",
            "livius-compat",
        ],
    ),
];

/// Where alone a text may stand in the sources of the crates.
const SAID_IN: [(&str, &[&str]); 2] = [
    (
        "process::Command",
        &["crates/launch/", "crates/spark-home/", "crates/testkit/"],
    ),
    (
        "env::var",
        &["crates/livius/src/config/", "crates/testkit/"],
    ),
];

/// Lines of a file at most, without its tests.
const LONGEST_FILE: usize = 500;

/// Checks every rule.
pub fn run() -> anyhow::Result<()> {
    let mut breaches = dependencies()?;
    for file in sources(&root().join("crates"))? {
        check_file(&file, &mut breaches)?;
    }
    for breach in &breaches {
        tell(&format!("tidy: {breach}"));
    }
    if !breaches.is_empty() {
        bail!("tidy: {} rules are broken", breaches.len());
    }
    tell("tidy: in order");
    Ok(())
}

fn dependencies() -> anyhow::Result<Vec<String>> {
    let text = output(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value =
        serde_json::from_str(&text).context("cargo metadata did not print JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata named no packages")?;
    let ours: BTreeSet<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut breaches = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let other = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            let allowed = MAY_DEPEND_ON.iter().find(|(of, _)| *of == name);
            if !for_tests
                && ours.contains(other)
                && allowed.is_some_and(|(_, list)| !list.contains(&other))
            {
                breaches.push(format!("{name} may not depend on {other}"));
            }
            let kept = KEPT_BY.iter().find(|(what, _)| *what == other);
            if !for_tests && kept.is_some_and(|(_, keepers)| !keepers.contains(&name)) {
                breaches.push(format!("{name} may not depend on {other}"));
            }
        }
    }
    Ok(breaches)
}

fn check_file(file: &Path, breaches: &mut Vec<String>) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let shown = file
        .strip_prefix(root())
        .unwrap_or(file)
        .display()
        .to_string();
    if ["/tests/", "/examples/"]
        .iter()
        .any(|place| shown.contains(place))
        || shown.ends_with("tests.rs")
    {
        return Ok(());
    }
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    if code.lines().count() > LONGEST_FILE {
        breaches.push(format!("{shown} has more than {LONGEST_FILE} lines"));
    }
    for (words, places) in SAID_IN {
        if code.contains(words) && !places.iter().any(|place| shown.starts_with(place)) {
            breaches.push(format!("{shown} may not say {words}"));
        }
    }
    Ok(())
}

fn sources(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}
