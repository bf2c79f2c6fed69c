//! Pythons of our own for the tests, with what clients and sessions use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::steps::{Steps, root, works};

/// The machine's own.
const BASE: &str = "python3";

/// What is installed into an environment.
pub struct Packages {
    name: &'static str,
    /// Where the list lies.
    list: &'static str,
    options: &'static [&'static str],
}

/// The lists of clients that need many packages name each of them: nothing is looked up, and nothing that is not listed comes.
/// Most of their modules are never used, so they are not compiled before they are.
const AS_LISTED: &[&str] = &["--no-deps", "--no-compile"];

/// What sessions use, and small clients.
pub const SESSIONS: Packages = Packages {
    name: "the sessions",
    list: "xtask/test-requirements.txt",
    options: &[],
};

/// Airflow with its provider for Livy, which goes together with nothing else.
pub const AIRFLOW: Packages = Packages {
    name: "Airflow",
    list: "xtask/airflow-requirements.txt",
    options: AS_LISTED,
};

/// sparkmagic with its kernels, and what runs notebooks.
pub const SPARKMAGIC: Packages = Packages {
    name: "sparkmagic",
    list: "xtask/sparkmagic-requirements.txt",
    options: AS_LISTED,
};

/// The environment's Python, made when it is not there or not what is asked for now.
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
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted)
        && works(Command::new(&python).arg("-V"))
    {
        steps.say(&format!("python: the environment of {name} is there"));
        return Ok(python);
    }
    make(steps, name, directory)?;
    let mut install = installer(&python)?;
    steps.run(
        &format!("python: installing the packages of {name} (up to a minute)"),
        install
            .args(["install", "--quiet"])
            .args(packages.options)
            .arg("-r")
            .arg(&list),
    )?;
    fs::write(&stamp, wanted).context("cannot write down what was installed")?;
    Ok(python)
}

/// Some systems ship Python without the part that puts pip into new environments; the system's own pip does as well.
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
