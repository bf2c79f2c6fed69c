//! Files that are made from the code and checked in.

use std::fs;

use anyhow::{Context as _, bail};

use crate::steps::{cargo, output, root, tell};

/// Each file, the package whose binary prints it, and the words that make it do so.
const FILES: [(&str, &str, &[&str]); 4] = [
    ("schemas/openapi.json", "livius", &["openapi"]),
    ("docs/CONFIGURATION.md", "livius", &["config", "reference"]),
    (
        "docs/LIVY-CONFIGURATION.md",
        "livius",
        &["config", "livy-reference"],
    ),
    ("docs/COMPATIBILITY.md", "livius-compat", &["--document"]),
];

/// Writes them.
pub fn write() -> anyhow::Result<()> {
    for (name, package, words) in FILES {
        let path = root().join(name);
        let directory = path.parent().expect("every file lies in a directory");
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        fs::write(&path, print(package, words)?).with_context(|| format!("cannot write {name}"))?;
        tell(&format!("codegen: wrote {name}"));
    }
    Ok(())
}

/// Says whether they are what the code makes them.
pub fn check() -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for (name, package, words) in FILES {
        let written = fs::read_to_string(root().join(name)).unwrap_or_default();
        if written != print(package, words)? {
            stale.push(name);
        }
    }
    if !stale.is_empty() {
        bail!(
            "codegen: stale: {}: run `cargo xtask codegen`",
            stale.join(", ")
        );
    }
    tell("codegen: up to date");
    Ok(())
}

fn print(package: &str, words: &[&str]) -> anyhow::Result<String> {
    output(
        cargo()
            .args(["run", "--quiet", "--package", package, "--"])
            .args(words),
    )
}
