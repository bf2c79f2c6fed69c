//! Virtual environments of Python for the tests, with the packages that clients and sessions use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::steps::{Steps, output, root, works};

/// The Python of this machine.
const BASE: &str = "python3";

/// The packages of an environment.
pub struct Packages {
    name: &'static str,
    /// The file that lists them.
    list: &'static str,
    options: &'static [&'static str],
}

/// Such a list names every package, also those that others need. pip looks nothing up, and installs
/// nothing else. Most modules are never used, so pip does not compile them.
const AS_LISTED: &[&str] = &["--no-deps", "--no-compile"];

/// The packages that sessions use, and small clients.
pub const SESSIONS: Packages = Packages {
    name: "the sessions",
    list: "xtask/test-requirements.txt",
    options: &[],
};

/// A newer pandas than the sessions' one, for the tests of the agent's tables.
pub const PANDAS_3: Packages = Packages {
    name: "pandas 3",
    list: "xtask/pandas3-requirements.txt",
    options: AS_LISTED,
};

/// Airflow with its provider for Livy. Its requirements contradict those of the others.
pub const AIRFLOW: Packages = Packages {
    name: "Airflow",
    list: "xtask/airflow-requirements.txt",
    options: AS_LISTED,
};

/// sparkmagic with its kernels, and a program that runs notebooks.
pub const SPARKMAGIC: Packages = Packages {
    name: "sparkmagic",
    list: "xtask/sparkmagic-requirements.txt",
    options: AS_LISTED,
};

/// A program that sends requests to find faults of a server.
pub const SCHEMATHESIS: Packages = Packages {
    name: "schemathesis",
    list: "xtask/schemathesis-requirements.txt",
    options: AS_LISTED,
};

/// Tools that check the code.
pub const TOOLS: Packages = Packages {
    name: "the tools",
    list: "xtask/tools-requirements.txt",
    options: AS_LISTED,
};

/// The Python of an environment. Makes the environment if it is missing, or if its list has
/// changed.
pub fn environment(
    steps: &Steps,
    packages: &Packages,
    directory: &Path,
) -> anyhow::Result<PathBuf> {
    let (name, list) = (packages.name, root().join(packages.list));
    let wanted =
        fs::read_to_string(&list).with_context(|| format!("cannot read {}", packages.list))?;
    let python = directory.join("bin/python3");
    let stamp = directory.join("requirements-installed.txt");
    let is_installed = |installed: String| packages_in(&installed).eq(packages_in(&wanted));
    if fs::read_to_string(&stamp).is_ok_and(is_installed) && works(Command::new(&python).arg("-V"))
    {
        steps.say(&format!("python: the environment of {name} is there"));
        return Ok(python);
    }
    make(steps, name, directory)?;
    let mut install = installer(&python)?;
    install
        .args(["install", "--quiet"])
        .args(packages.options)
        .arg("-r")
        .arg(&list);
    let step = format!("python: installing the packages of {name} (up to a minute)");
    steps.run_twice(&step, &mut install).with_context(|| {
        let version = output(Command::new(&python).arg("-V")).unwrap_or_default();
        format!(
            "cannot install {} with {}: pip's own message is above",
            packages.list,
            version.trim()
        )
    })?;
    fs::write(&stamp, wanted).context("cannot note what was installed")?;
    Ok(python)
}

/// The lines of a list that name packages.
fn packages_in(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|line| !line.starts_with('#'))
}

/// Some systems ship Python without the module that installs pip into environments. Then the
/// system's own pip installs the packages.
fn make(steps: &Steps, name: &str, directory: &Path) -> anyhow::Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)
            .with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    let with_pip = works(Command::new(BASE).args(["-c", "import ensurepip"]));
    let mut command = Command::new(BASE);
    command.args(["-m", "venv"]);
    if !with_pip {
        command.arg("--without-pip");
    }
    steps.run(
        &format!("python: making the environment of {name}"),
        command.arg(directory),
    )
}

fn installer(python: &Path) -> anyhow::Result<Command> {
    if works(Command::new(python).args(["-m", "pip", "--version"])) {
        let mut own = Command::new(python);
        own.args(["-m", "pip"]);
        return Ok(own);
    }
    if works(Command::new(BASE).args(["-m", "pip", "--version"])) {
        let mut outer = Command::new(BASE);
        outer.args(["-m", "pip", "--python"]).arg(python);
        return Ok(outer);
    }
    bail!(
        "python: {BASE} has no pip: install it (on Debian: apt-get install python3-venv python3-pip)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_comment_needs_no_new_environment() {
        let old = "# The packages.\nlivy==0.8.0\npandas==2.2.3\n";
        let new = "livy==0.8.0\n# For tables.\npandas==2.2.3\n";
        assert!(packages_in(old).eq(packages_in(new)));
        assert!(!packages_in(old).eq(packages_in("livy==0.8.0\n")));
    }
}
