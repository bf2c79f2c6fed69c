//! Steps of a long run. Each step announces itself with the time that has passed, and the run ends
//! with the time of each.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// Prints a line to standard error.
pub fn tell(text: &str) {
    // Flushes first, so that the lines stay in order when both streams go to one file.
    let _ = std::io::stdout().flush();
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The repository's directory.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the repository")
        .to_owned()
}

/// A command of the cargo that runs this program.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The place of the workspace's own binaries for a command.
#[derive(Debug, Clone, Copy)]
pub enum Binaries {
    /// Cargo builds a binary, and runs it.
    Cargo,
    /// The suite has built all of them. `cargo run --package` would build their dependencies again,
    /// because it asks for other features than `cargo test --workspace`.
    Built,
}

impl Binaries {
    /// A command that runs the binary of a package.
    pub fn command(self, package: &str) -> anyhow::Result<Command> {
        let mut command = match self {
            Self::Cargo => {
                let mut cargo = cargo();
                cargo.args(["run", "--quiet", "--package", package, "--"]);
                cargo
            }
            Self::Built => {
                let own = std::env::current_exe().context("cannot find this program's file")?;
                Command::new(own.with_file_name(package))
            }
        };
        command.current_dir(root());
        Ok(command)
    }
}

/// The steps of one run.
pub struct Steps {
    begun: Instant,
    ended: Mutex<Vec<Step>>,
}

/// A step that has ended.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: String,
    pub took: Duration,
}

impl Steps {
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
            ended: Mutex::default(),
        }
    }

    /// Prints a line with the time that has passed.
    pub fn say(&self, text: &str) {
        tell(&format!("[{}] {text}", minutes(self.elapsed())));
    }

    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The steps that have ended, in the order of their ends.
    pub fn ended(&self) -> Vec<Step> {
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Does some work as a step.
    pub fn step<T>(
        &self,
        name: &str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.say(name);
        let begun = Instant::now();
        let result = work();
        let step = Step {
            name: name.to_owned(),
            took: begun.elapsed(),
        };
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(step);
        result
    }

    /// Runs a command that needs a package registry as a step. Registries fail now and then, so a
    /// failure is followed by one more attempt.
    pub fn run_twice(&self, name: &str, command: &mut Command) -> anyhow::Result<()> {
        let Err(error) = self.run(name, command) else {
            return Ok(());
        };
        self.say(&format!("{error:#}: one more attempt follows"));
        let again = format!("{name}, second attempt");
        self.run(&again, command)
    }

    /// Runs a command as a step. Its output goes where this program's goes.
    pub fn run(&self, name: &str, command: &mut Command) -> anyhow::Result<()> {
        self.step(name, || {
            let status = command
                .status()
                .with_context(|| format!("{name}: cannot start {command:?}"))?;
            if !status.success() {
                bail!("{name}: failed ({status})");
            }
            Ok(())
        })
    }
}

/// Tells whether a command can be started, and succeeds.
pub fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The standard output of a command.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} did not print text"))
}

/// A time for people, as `12m05s`.
pub fn minutes(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:>2}m{:02}s", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_needs_a_registry_gets_a_second_attempt_and_no_third() {
        let folder = tempfile::tempdir().expect("a folder");
        // Each attempt adds a line, and succeeds when there are enough of them.
        let attempt = |needed: u32| {
            let mut command = Command::new("sh");
            command.current_dir(folder.path()).args([
                "-c",
                &format!("echo >> tries; test $(wc -l < tries) -ge {needed}"),
            ]);
            command
        };
        let steps = Steps::begin();
        assert!(steps.run_twice("the first", &mut attempt(1)).is_ok());
        assert!(steps.run_twice("the second", &mut attempt(3)).is_ok());
        let failed = steps.run_twice("the third", &mut attempt(6)).unwrap_err();
        assert!(
            failed.to_string().starts_with("the third, second attempt"),
            "{failed}"
        );
        let names: Vec<String> = steps.ended().into_iter().map(|step| step.name).collect();
        assert_eq!(
            names,
            [
                "the first",
                "the second",
                "the second, second attempt",
                "the third",
                "the third, second attempt"
            ]
        );
    }
}
