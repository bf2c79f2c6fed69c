//! Shows a statement while it runs: what its code prints, and how far it is.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;

use livius_client::live::{Printed, Seen, Stream};
use livius_client::output::Streamed;
use livius_client::{Stage, Statement};

use crate::terminal::{StatusLine, complain, put, put_error};

/// The width of the bar, in characters.
const BAR: usize = 20;

/// The stages that the line names.
const MOST_STAGES: usize = 3;

/// What a command shows of a statement that runs.
#[derive(Debug)]
pub struct Live {
    line: RefCell<StatusLine>,
    /// `None` if the text is not shown.
    streamed: Option<RefCell<Streamed>>,
    /// Whether the text ends with a whole line.
    is_at_start: Cell<bool>,
}

impl Live {
    /// Shows progress and text.
    pub fn whole() -> Self {
        Self {
            streamed: Some(RefCell::default()),
            ..Self::progress()
        }
    }

    /// Shows progress only.
    pub fn progress() -> Self {
        Self {
            line: RefCell::new(StatusLine::begin()),
            streamed: None,
            is_at_start: Cell::new(true),
        }
    }

    /// Shows a state, or prints a text.
    pub fn show(&self, seen: Seen<'_>) {
        match seen {
            Seen::State { statement, stages } => {
                // The line would cover the beginning of a line of text.
                if self.is_at_start.get() {
                    self.line.borrow_mut().show(&told(statement, stages));
                }
            }
            Seen::Output(printed) => self.print(&printed),
        }
    }

    fn print(&self, printed: &Printed) {
        let Some(streamed) = &self.streamed else {
            return;
        };
        self.line.borrow_mut().clear();
        if printed.missing > 0 {
            self.end_line();
            let bytes = printed.missing;
            complain(&format!(
                "livius: {bytes} bytes are left out here, and shown at the end"
            ));
        }
        // A closed pipe is not an error.
        let _ = match printed.stream {
            Stream::Stdout => put(&printed.text),
            Stream::Stderr => put_error(&printed.text),
        };
        self.is_at_start.set(printed.text.ends_with('\n'));
        streamed.borrow_mut().add(printed);
    }

    /// Makes room for other text.
    pub fn pause(&self) {
        self.line.borrow_mut().clear();
        self.end_line();
    }

    fn end_line(&self) {
        if !self.is_at_start.replace(true) {
            let _ = put("\n");
        }
    }

    /// The text that was printed.
    pub fn streamed(&self) -> Streamed {
        let streamed = self.streamed.as_ref();
        streamed
            .map(|streamed| streamed.borrow().clone())
            .unwrap_or_default()
    }
}

fn told(statement: &Statement, stages: &[Stage]) -> String {
    let mut text = format!("statement {} is {}", statement.id, statement.stage());
    if let Some(progress) = statement.progress.filter(|progress| *progress > 0.0) {
        text.push(' ');
        text.push_str(&bar(progress));
    }
    for stage in stages.iter().take(MOST_STAGES) {
        let _ = write!(text, " stage {}: {}/{}", stage.id, stage.done, stage.tasks);
    }
    text
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a number from 0 to 20"
)]
fn bar(progress: f64) -> String {
    let done = (progress.clamp(0.0, 1.0) * BAR as f64) as usize;
    format!("[{}{}]", "=".repeat(done), " ".repeat(BAR - done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_shows_progress_and_stages() {
        let statement = |text: &str| serde_json::from_str::<Statement>(text).unwrap();
        let begun = statement(r#"{"id":3,"state":"running","progress":0.0,"output":null}"#);
        assert_eq!(told(&begun, &[]), "statement 3 is running");
        let half = statement(r#"{"id":3,"state":"running","progress":0.5,"output":null}"#);
        let stage: Stage = serde_json::from_str(r#"{"id":7,"tasks":8,"done":4}"#).unwrap();
        assert_eq!(
            told(&half, &[stage]),
            "statement 3 is running 50% [==========          ] stage 7: 4/8"
        );
    }
}
