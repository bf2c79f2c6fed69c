//! A line on the terminal that shows what the command waits for. It disappears afterwards.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use livius_client::text::{cut, escaped};

use super::columns;

/// Shorter waits show no line.
const MOMENT: Duration = Duration::from_millis(500);

/// The line. It is invisible if standard error is not a terminal.
#[derive(Debug)]
pub struct StatusLine {
    is_seen: bool,
    is_drawn: bool,
    begun: Instant,
}

impl StatusLine {
    /// Starts the clock.
    pub fn begin() -> Self {
        Self {
            is_seen: std::io::stderr().is_terminal(),
            is_drawn: false,
            begun: Instant::now(),
        }
    }

    /// Shows what the command waits for.
    pub fn show(&mut self, text: &str) {
        let passed = self.begun.elapsed();
        if !self.is_seen || passed < MOMENT {
            return;
        }
        let line = format!("{} ({} s)", escaped(text), passed.as_secs());
        let room = columns(std::io::stderr()).map_or(79, |columns| columns.saturating_sub(1));
        write(&format!("\r\x1b[K{}", cut(&line, room)));
        self.is_drawn = true;
    }

    /// Removes the line.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            write("\r\x1b[K");
        }
    }
}

fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.clear();
    }
}
