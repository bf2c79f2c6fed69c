//! A Python of our own for the tests, with what clients and sessions use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::steps::{Steps, root, works};

/// The machine's own.
const BASE: &str = "python3";

/// The environment's Python, made when it is not there or not what is asked for now.
pub fn environment(steps: &Steps, directory: &Path) -> anyhow::Result<PathBuf> {
    let requirements = root().join("xtask/test-requirements.txt");
    let wanted =
        fs::read_to_string(&requirements).context("cannot read xtask/test-requirements.txt")?;
    let python = directory.join("bin/python3");
    let stamp = directory.join("requirements-installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted)
        && works(Command::new(&python).arg("-V"))
    {
        steps.say("python: the environment of the tests is there");
        return Ok(python);
    }
    make(steps, directory)?;
    let mut install = installer(&python)?;
    steps.run(
        "python: installing what the tests use",
        install
            .args(["install", "--quiet", "-r"])
            .arg(&requirements),
    )?;
    fs::write(&stamp, wanted).context("cannot write down what was installed")?;
    Ok(python)
}

/// Some systems ship Python without the part that puts pip into new environments; the system's own pip does as well.
fn make(steps: &Steps, directory: &Path) -> anyhow::Result<()> {
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
        "python: making an environment for the tests",
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
