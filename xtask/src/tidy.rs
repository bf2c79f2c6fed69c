//! The rules of the house that no compiler checks: which crate may name which, how long a file may
//! be, and that no modules of a crate name each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::circles::{self, Module};
use crate::source::without_tests;
use crate::steps::{cargo, output, root, tell};

/// The crates of the workspace that a crate may depend on. Tests may depend on more.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("livius-domain", &[]),
    ("livius-failpoint", &[]),
    ("livius-wire", &["livius-domain"]),
    ("livius-client", &["livius-domain"]),
    ("livius-metrics", &[]),
    ("livius-store", &["livius-domain"]),
    (
        "livius-store-sqlite",
        &[
            "livius-domain",
            "livius-failpoint",
            "livius-metrics",
            "livius-store",
        ],
    ),
    ("livius-agent-link", &["livius-domain"]),
    ("livius-spark-home", &["livius-domain"]),
    ("livius-yarn", &["livius-domain"]),
    ("livius-kubernetes", &["livius-domain"]),
    ("livius-webhooks", &["livius-domain"]),
    (
        "livius-launch",
        &[
            "livius-domain",
            "livius-failpoint",
            "livius-kubernetes",
            "livius-spark-home",
            "livius-yarn",
        ],
    ),
    (
        "livius-sessions",
        &[
            "livius-domain",
            "livius-failpoint",
            "livius-store",
            "livius-agent-link",
            "livius-launch",
            "livius-metrics",
            "livius-webhooks",
        ],
    ),
    (
        "livius-http",
        &[
            "livius-domain",
            "livius-failpoint",
            "livius-store",
            "livius-agent-link",
            "livius-metrics",
            "livius-sessions",
            "livius-wire",
        ],
    ),
];

/// Dependencies that only these crates may have.
const KEPT_BY: &[(&str, &[&str])] = &[
    ("axum", &["livius-http", "livius", "livius-testkit"]),
    ("sqlx", &["livius-store-sqlite"]),
    ("livius-store-sqlite", &["livius", "livius-testkit"]),
    ("rustyline", &["livius-client"]),
    ("prometheus-client", &["livius-metrics"]),
    ("roxmltree", &["livius-yarn"]),
    ("kube", &["livius-kubernetes", "livius-testkit"]),
    ("k8s-openapi", &["livius-kubernetes", "livius-testkit"]),
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

/// Texts that only the sources in these places may contain.
const SAID_IN: &[(&str, &[&str])] = &[
    (
        "process::Command",
        &["crates/launch/", "crates/spark-home/", "crates/testkit/"],
    ),
    (
        "env::var",
        &["crates/livius/src/config/", "crates/testkit/"],
    ),
];

/// The most lines that a file may have, without its tests.
const LONGEST_FILE: usize = 500;

/// The number of circles that a package still has. The numbers may only shrink, and the list goes
/// when it is empty.
const KNOWN_CIRCLES: &[(&str, usize)] = &[];

/// Checks every rule.
pub fn run() -> anyhow::Result<()> {
    let mut breaches = dependencies()?;
    for file in sources(&root().join("crates"))? {
        check_file(&file, &mut breaches)?;
    }
    for package in packages()? {
        breaches.extend(circles_in(&package)?);
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
    let shown = shown(file);
    if is_for_tests(&shown) {
        return Ok(());
    }
    let code = without_tests(&text);
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

/// A path as seen from the repository.
fn shown(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.display().to_string()
}

fn is_for_tests(shown: &str) -> bool {
    let folders = ["/tests/", "/examples/"];
    folders.iter().any(|folder| shown.contains(folder)) || shown.ends_with("tests.rs")
}

/// The directories of the workspace's packages.
fn packages() -> anyhow::Result<Vec<PathBuf>> {
    let crates = fs::read_dir(root().join("crates")).context("cannot read crates")?;
    let mut packages = ["xtask", "bench", "compat"]
        .map(|name| root().join(name))
        .to_vec();
    for entry in crates {
        packages.push(entry?.path());
    }
    packages.retain(|package| package.join("src").is_dir());
    packages.sort();
    Ok(packages)
}

/// A line for each circle among the modules of a package.
fn circles_in(package: &Path) -> anyhow::Result<Vec<String>> {
    let folder = package.join("src");
    let mut files: BTreeMap<Module, String> = BTreeMap::new();
    for file in sources(&folder)? {
        if is_for_tests(&shown(&file)) {
            continue;
        }
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let place = file.strip_prefix(&folder).unwrap_or(&file);
        files.insert(circles::module_of(place), text);
    }
    let name = shown(package);
    let found = circles::find(&files);
    let known = KNOWN_CIRCLES.iter().find(|(of, _)| *of == name);
    let is_known = known.is_some_and(|(_, count)| found.len() <= *count);
    let lines = found.iter().map(|circle| {
        let modules: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
        format!(
            "{name}: modules name each other in a circle: {}",
            modules.join(", ")
        )
    });
    if is_known {
        lines.for_each(|line| tell(&format!("tidy: known: {line}")));
        return Ok(Vec::new());
    }
    Ok(lines.collect())
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
