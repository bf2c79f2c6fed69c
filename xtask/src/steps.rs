//! Steps of long work: each is told with the time that has passed, and its commands' output is left as it is.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// Tells a line.
pub fn tell(text: &str) {
    // In the order of the commands' own output when both go to one file.
    let _ = std::io::stdout().flush();
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the repository")
        .to_owned()
}

/// The cargo that runs this.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The steps, with one clock.
pub struct Steps {
    begun: Instant,
}

impl Steps {
    /// Begins.
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
        }
    }

    /// Tells what happens now.
    pub fn say(&self, text: &str) {
        tell(&format!("[{}] {text}", minutes(self.begun.elapsed())));
    }

    /// How long it has taken.
    pub fn elapsed(&self) -> String {
        minutes(self.begun.elapsed())
    }

    /// Runs a command as a step.
    pub fn run(&self, name: &str, command: &mut Command) -> anyhow::Result<()> {
        self.say(name);
        let status = command
            .status()
            .with_context(|| format!("{name}: cannot start {command:?}"))?;
        if !status.success() {
            bail!("{name}: failed ({status})");
        }
        Ok(())
    }
}

/// Whether a command can be run at all, and says yes.
pub fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a command prints.
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

fn minutes(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:>2}m{:02}s", seconds / 60, seconds % 60)
}
