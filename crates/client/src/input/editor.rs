//! Line editing on a terminal.
//!
//! We use rustyline and not reedline: it has a tenth of the dependencies (no crossterm, no chrono),
//! a stable release, private history files, and the two hooks that we need, completion and "is this
//! finished?".

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, CompletionType, Config, Context, EventHandler, Helper, KeyCode, KeyEvent, Modifiers,
};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::Entered;
use super::complete::{is_complete, rule};
use crate::language::{Dialect, switched};
use crate::session::Session;

/// The number of statements in the history.
const REMEMBERED: usize = 10_000;
/// Completion must not hold up typing.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(3);
const INDENT: &str = "    ";

/// The editor. It has its own thread, because reading a line blocks and signals must be handled in
/// the meantime.
#[derive(Debug)]
pub struct Editor {
    questions: std::sync::mpsc::Sender<Question>,
    /// The terminal's settings before editing. They are restored even if the process ends in the
    /// middle of a line.
    terminal: Option<rustix::termios::Termios>,
}

#[derive(Debug)]
struct Question {
    kind: String,
    answer: oneshot::Sender<Entered>,
}

impl Editor {
    /// Starts the editor with the history in this file.
    pub fn open(session: &Session, history: Option<Utf8PathBuf>) -> Self {
        let (questions, asked) = std::sync::mpsc::channel();
        let terminal = rustix::termios::tcgetattr(std::io::stdin()).ok();
        let names = Names {
            session: session.clone(),
            runtime: Handle::current(),
            kind: String::new(),
        };
        std::thread::spawn(move || answer(&asked, names, history.as_deref()));
        Self {
            questions,
            terminal,
        }
    }

    /// Reads the next statement. `kind` applies unless the statement names its own.
    pub async fn next(&mut self, kind: &str) -> Entered {
        let (answer, entered) = oneshot::channel();
        let kind = kind.to_owned();
        let gone = || Entered::Failed("the line editor has ended".to_owned());
        if self.questions.send(Question { kind, answer }).is_err() {
            return gone();
        }
        entered.await.unwrap_or_else(|_| gone())
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if let Some(terminal) = &self.terminal {
            let now = rustix::termios::OptionalActions::Now;
            let _ = rustix::termios::tcsetattr(std::io::stdin(), now, terminal);
        }
    }
}

type Line = rustyline::Editor<Names, DefaultHistory>;

fn answer(asked: &std::sync::mpsc::Receiver<Question>, names: Names, history: Option<&Utf8Path>) {
    let mut line = match prepare(names, history) {
        Ok(line) => line,
        Err(error) => {
            if let Ok(question) = asked.recv() {
                let _ = question.answer.send(Entered::Failed(error.to_string()));
            }
            return;
        }
    };
    while let Ok(Question { kind, answer }) = asked.recv() {
        let entered = read(&mut line, &kind, history);
        if answer.send(entered).is_err() {
            return;
        }
    }
}

fn prepare(names: Names, history: Option<&Utf8Path>) -> rustyline::Result<Line> {
    let config = Config::builder()
        .max_history_size(REMEMBERED)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .auto_add_history(false)
        .build();
    let mut line = Line::with_config(config)?;
    line.set_helper(Some(names));
    line.bind_sequence(
        KeyEvent(KeyCode::Enter, Modifiers::ALT),
        EventHandler::Simple(Cmd::Newline),
    );
    if let Some(path) = history {
        // The file does not exist at the first start. The editor also works without a history.
        let _ = line.load_history(path);
    }
    Ok(line)
}

fn read(line: &mut Line, kind: &str, history: Option<&Utf8Path>) -> Entered {
    if let Some(names) = line.helper_mut() {
        kind.clone_into(&mut names.kind);
    }
    match line.readline(&format!("{kind}> ")) {
        Ok(text) if text.trim().is_empty() => Entered::Nothing,
        Ok(text) => {
            remember(line, text.trim_end(), history);
            Entered::Code(text)
        }
        Err(ReadlineError::Interrupted) => Entered::Nothing,
        Err(ReadlineError::Eof) => Entered::End,
        Err(error) => Entered::Failed(error.to_string()),
    }
}

/// Saves a statement at once, so a crash does not lose it. Only the user can read the file, because
/// code may hold secrets.
fn remember(line: &mut Line, text: &str, history: Option<&Utf8Path>) {
    let added = line.add_history_entry(text).unwrap_or(false);
    let Some(path) = history.filter(|_| added) else {
        return;
    };
    if let Some(directory) = path.parent() {
        let _ = make_private(directory);
    }
    let _ = line.append_history(path);
}

fn make_private(directory: &Utf8Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// Answers rustyline's questions: whether the text is finished, and which completions fit.
struct Names {
    session: Session,
    runtime: Handle,
    kind: String,
}

impl Helper for Names {}
impl Highlighter for Names {}

impl Hinter for Names {
    type Hint = String;
}

impl Validator for Names {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(context.input(), &self.kind) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Completer for Names {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let before = &line[..position];
        if before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .trim()
            .is_empty()
        {
            return Ok((position, vec![INDENT.to_owned()]));
        }
        if line.starts_with(':') {
            return Ok((position, Vec::new()));
        }
        let (kind, offset) = match switched(line) {
            Some(switched) => (switched.kind, line.len() - switched.code.len()),
            None => (self.kind.as_str(), 0),
        };
        if offset > position {
            return Ok((position, Vec::new()));
        }
        let cursor = before[offset..].encode_utf16().count();
        let asked = self.session.complete(&line[offset..], kind, cursor);
        // After any failure there are no candidates.
        let found = self.runtime.block_on(async {
            let answer = tokio::time::timeout(COMPLETION_TIMEOUT, asked).await;
            answer.ok()?.ok()
        });
        let start = position - word(before, rule(line, &self.kind).dialect).len();
        let fitting = fitting(&before[start..], found.unwrap_or_default());
        Ok((start, fitting))
    }
}

/// The name that is being typed.
fn word(before: &str, dialect: Dialect) -> &str {
    let is_of_name = |next: char| {
        next.is_alphanumeric() || next == '_' || (next == '.' && dialect == Dialect::R)
    };
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, next)| is_of_name(*next))
        .last()
        .map_or(before.len(), |(at, _)| at);
    &before[start..]
}

/// The candidates that can replace the word. Some servers also send the part before the dot.
fn fitting(word: &str, candidates: Vec<String>) -> Vec<String> {
    let last = |candidate: String| match candidate.rsplit_once('.') {
        Some((_, last)) if !candidate.starts_with(word) && last.starts_with(word) => {
            last.to_owned()
        }
        _ => candidate,
    };
    let mut found: Vec<String> = candidates
        .into_iter()
        .map(last)
        .filter(|candidate| !candidate.chars().any(char::is_control))
        .filter(|candidate| {
            let prefix = candidate.get(..word.len());
            prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(word))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_the_cursor_is_completed() {
        let cases = [
            ("sc.par", Dialect::Python, "par"),
            ("x = λ_1", Dialect::Python, "λ_1"),
            ("f(", Dialect::Python, ""),
            ("", Dialect::Python, ""),
            ("read.d", Dialect::R, "read.d"),
        ];
        for (before, dialect, expected) in cases {
            assert_eq!(word(before, dialect), expected, "{before}");
        }
    }

    #[test]
    fn candidates_replace_the_word() {
        let texts = |list: &[&str]| {
            list.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let cases: [(&str, &[&str], &[&str]); 5] = [
            ("par", &["parallelize", "other"], &["parallelize"]),
            (
                "par",
                &["sc.parallelize", "parts", "parts"],
                &["parallelize", "parts"],
            ),
            ("", &["b", "a"], &["a", "b"]),
            ("sel", &["SELECT"], &["SELECT"]),
            ("a", &["a\u{1b}[2J"], &[]),
        ];
        for (word, candidates, expected) in cases {
            assert_eq!(fitting(word, texts(candidates)), texts(expected), "{word}");
        }
    }

    #[test]
    fn directories_of_histories_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(home.path()).unwrap().join("a/b");
        make_private(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
