//! Files that the code generates, and that are checked in.

use std::fs;

use anyhow::{Context as _, bail};

use crate::steps::{Binaries, output, root, tell};

/// Each file, the package whose binary prints it, and the arguments for that.
const FILES: [(&str, &str, &[&str]); 6] = [
    ("schemas/openapi.json", "livius", &["openapi"]),
    ("docs/CONFIGURATION.md", "livius", &["config", "reference"]),
    (
        "docs/LIVY-CONFIGURATION.md",
        "livius",
        &["config", "livy-reference"],
    ),
    ("docs/METRICS.md", "livius-metrics", &[]),
    ("docs/ERRORS.md", "livius", &["errors"]),
    ("docs/COMPATIBILITY.md", "livius-compat", &["--document"]),
];

/// Writes the files.
pub fn write(binaries: Binaries) -> anyhow::Result<()> {
    for (name, package, arguments) in FILES {
        let path = root().join(name);
        let directory = path.parent().expect("every file lies in a directory");
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        fs::write(&path, print(binaries, package, arguments)?)
            .with_context(|| format!("cannot write {name}"))?;
        tell(&format!("codegen: wrote {name}"));
    }
    Ok(())
}

/// Fails if a file differs from what the code generates.
pub fn check(binaries: Binaries) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for (name, package, arguments) in FILES {
        let written = fs::read_to_string(root().join(name)).unwrap_or_default();
        if written != print(binaries, package, arguments)? {
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

fn print(binaries: Binaries, package: &str, arguments: &[&str]) -> anyhow::Result<String> {
    output(binaries.command(package)?.args(arguments))
}
