//! One line on the terminal that says what is being waited for, and goes away when it came.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use livius_client::text::{cut, escaped};

use super::columns;

/// What takes no longer than this is not worth a word.
const MOMENT: Duration = Duration::from_millis(500);

/// The line. Where standard error is no terminal it is never seen.
#[derive(Debug)]
pub struct StatusLine {
    is_seen: bool,
    is_drawn: bool,
    begun: Instant,
}

impl StatusLine {
    /// Begins to count.
    pub fn begin() -> Self {
        Self {
            is_seen: std::io::stderr().is_terminal(),
            is_drawn: false,
            begun: Instant::now(),
        }
    }

    /// Says what is waited for.
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

    /// Takes it away.
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
