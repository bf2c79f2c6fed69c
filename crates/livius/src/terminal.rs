//! Output of commands: standard output, standard error, and progress.

mod status_line;

use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

pub use status_line::StatusLine;

/// Prints one or several lines to standard output. A closed pipe is not an error.
pub fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Prints a text to standard output, unchanged. The error means that the pipe is closed, so a
/// command that never ends by itself should end.
pub fn put(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Prints a text to standard error, unchanged.
pub fn put_error(text: &str) -> std::io::Result<()> {
    std::io::stderr().lock().write_all(text.as_bytes())
}

/// The width of a terminal; `None` if it is not a terminal.
pub fn columns(of: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

/// Tells whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Prints a line to standard error.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Progress of long work: lines with the elapsed time, readable on a terminal and in a file.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    begun: Instant,
}

impl Progress {
    /// Starts the clock.
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
        }
    }

    /// Prints a step.
    pub fn step(&self, text: &str) {
        complain(&self.line(text));
    }

    fn line(self, text: &str) -> String {
        format!("[{}] {text}", stamp(self.begun.elapsed()))
    }

    /// The elapsed time.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Formats the time as `  7.3s` or ` 1m05s`, always with the same width.
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
