//! Output of commands: standard output, standard error, and progress.

mod status_line;

use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

pub use status_line::StatusLine;

/// Prints a line, or several, to standard output. A reader that has gone away is no reason to fail.
pub fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Prints a text as it is to standard output. The failure is that the reader has gone away: a good reason to end what never ends by itself.
pub fn put(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// How many columns a terminal has; `None` for what is no terminal.
pub fn columns(of: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

/// Whether somebody sits before standard output.
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Prints a line to standard error.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Long work, told line by line with the seconds that have passed: it reads the same on a terminal and in a file.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    begun: Instant,
}

impl Progress {
    /// Begins to count.
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
        }
    }

    /// Tells a step.
    pub fn step(&self, text: &str) {
        complain(&self.line(text));
    }

    fn line(self, text: &str) -> String {
        format!("[{}] {text}", stamp(self.begun.elapsed()))
    }

    /// How long it has taken so far.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// As `  7.3s` or ` 1m05s`: always as wide.
fn stamp(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let text = if seconds < 60 {
        format!("{seconds}.{}s", elapsed.subsec_millis() / 100)
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    };
    format!("{text:>6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_line_up() {
        let cases = [
            (0, "  0.0s"),
            (7_340, "  7.3s"),
            (59_999, " 59.9s"),
            (65_000, " 1m05s"),
            (754_000, "12m34s"),
        ];
        for (millis, text) in cases {
            assert_eq!(stamp(Duration::from_millis(millis)), text);
        }
    }
}
