//! Finds the lines of a log that say why an application failed.

use livius_domain::Departure;
use livius_domain::failure::{Clue, recognise};

use crate::log::DriverLog;

/// The number of lines at the log's end that are searched.
const LINES: usize = 300;

/// The longest text that is taken from a line, in characters.
const MAX_CHARS: usize = 500;

/// The line that Python prints before the frames of a traceback. Spark repeats it for tracebacks of
/// workers.
const TRACEBACK: &str = "Traceback (most recent call last):";

/// Exceptions that only wrap the cause.
const WRAPPERS: [&str; 3] = [
    "java.lang.reflect.InvocationTargetException",
    "java.lang.reflect.UndeclaredThrowableException",
    "py4j.protocol.Py4JJavaError",
];

/// What a log tells about a driver's end.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The line that explains the end.
    evidence: Option<String>,
    /// The failure that the lines are known for.
    clue: Option<Clue>,
}

impl Told {
    /// Reads a driver's log.
    pub(crate) fn by_log(log: &DriverLog) -> Self {
        log.tail(LINES)
            .map_or_else(|_| Self::default(), |lines| Self::by(&lines))
    }

    /// Reads the text of a log.
    pub(crate) fn by_text(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        Self::by(&lines)
    }

    fn by(lines: &[String]) -> Self {
        Self {
            evidence: find(lines),
            clue: recognise(lines),
        }
    }

    /// The same, with what another log tells where this one tells nothing.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            evidence: self.evidence.or(other.evidence),
            clue: self.clue.or(other.clue),
        }
    }

    /// Adds it to the facts about the end.
    pub(crate) fn within(self, departure: Departure) -> Departure {
        Departure {
            evidence: self.evidence,
            clue: self.clue,
            ..departure
        }
    }
}

/// The last line that looks like the reason of a failure, without its prefix.
pub fn find(lines: &[String]) -> Option<String> {
    let mut search = Search::default();
    for line in lines {
        search.read(line.trim_end());
    }
    let reason = search.found?.trim();
    let cut: String = reason.chars().take(MAX_CHARS).collect();
    (!cut.is_empty()).then_some(cut)
}

#[derive(Default)]
struct Search<'a> {
    found: Option<&'a str>,
    in_traceback: bool,
    before: &'a str,
}

impl<'a> Search<'a> {
    fn read(&mut self, line: &'a str) {
        if line.ends_with(TRACEBACK) || is_frame(line) {
            self.in_traceback = true;
        } else if !self.in_traceback {
            let told = reason(line, self.before).or_else(|| self.cause(line));
            self.found = told.or(self.found);
        } else if !line.is_empty() && !line.starts_with([' ', '\t']) {
            self.in_traceback = false;
            self.found = Some(line);
        }
        self.before = line;
    }

    /// The cause of the exception that was found, if that is only a wrapper.
    fn cause(&self, line: &'a str) -> Option<&'a str> {
        let found = self.found?;
        WRAPPERS
            .iter()
            .any(|wrapper| found.starts_with(wrapper))
            .then(|| {
                line.strip_prefix("Caused by: ")
                    // Py4J prints the Java exception on separate lines.
                    .or_else(|| line.strip_prefix(": "))
            })
            .flatten()
    }
}

/// A frame without a traceback. Python prints one when it cannot parse a file.
fn is_frame(line: &str) -> bool {
    line.starts_with("  File \"") && line.contains("\", line ")
}

fn reason<'a>(line: &'a str, before: &'a str) -> Option<&'a str> {
    if let Some(thrown) = line.strip_prefix("Exception in thread \"") {
        return thrown.split_once("\" ").map(|(_, reason)| reason);
    }
    if let Some(reason) = reason_of_machine(line, before) {
        return (!reason.is_empty()).then_some(reason);
    }
    // Printed by Spark's launcher and by R.
    let spoken = line.starts_with("Error: ") || line.starts_with("Error in ");
    // Printed by the Python interpreter.
    let unreadable = line.contains(": can't open file ");
    let exhausted = line.starts_with("java.lang.OutOfMemoryError");
    (spoken || unreadable || exhausted).then_some(line)
}

/// The reason that a JVM gives when it cannot start or continue. Empty for a line without a reason.
fn reason_of_machine<'a>(line: &'a str, before: &'a str) -> Option<&'a str> {
    if before.starts_with("Error occurred during initialization of ") {
        return Some(line);
    }
    match line {
        "Error: Could not create the Java Virtual Machine." => Some(before),
        "Error: A fatal exception has occurred. Program will exit." => Some(""),
        _ => line
            .strip_prefix("# ")
            .filter(|told| told.starts_with("There is insufficient memory for the Java")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(log: &str) -> Option<String> {
        let lines: Vec<String> = log.lines().map(str::to_owned).collect();
        find(&lines)
    }

    #[test]
    fn the_reason_is_found_in_what_applications_print() {
        for (log, reason) in [
            ("26/11/21 INFO X: fine\nall is well", None),
            ("", None),
            (
                "Error: Failed to load class no.such.Main.\n26/11/21 INFO ShutdownHookManager: Shutdown hook called",
                Some("Error: Failed to load class no.such.Main."),
            ),
            (
                "Exception in thread \"main\" java.lang.IllegalStateException: no\n\tat a.B.c(B.scala:1)\nmore",
                Some("java.lang.IllegalStateException: no"),
            ),
            (
                "Exception in thread \"main\" java.lang.reflect.InvocationTargetException\n\tat a.B.c(B.scala:1)\nCaused by: x.Y: z\n\t... 3 more",
                Some("x.Y: z"),
            ),
            (
                "Traceback (most recent call last):\n  File \"/a.py\", line 1, in <module>\n    f()\nValueError: bad\n26/11/21 INFO X: y",
                Some("ValueError: bad"),
            ),
            (
                "Traceback (most recent call last):\n  File \"/a.py\", line 1\nKeyError: 'a'\nExit\nTraceback (most recent call last):\n  \
                 File \"/a.py\", line 9\nOSError: b",
                Some("OSError: b"),
            ),
            (
                "python3: can't open file '/no.py': [Errno 2] No such file or directory",
                Some("python3: can't open file '/no.py': [Errno 2] No such file or directory"),
            ),
            (
                "Error in f() : no\nExecution halted",
                Some("Error in f() : no"),
            ),
            ("Traceback (most recent call last):\n  File", None),
            (
                "  File \"/a.py\", line 2\n    if :\n       ^\nSyntaxError: invalid syntax\n26/11/21 INFO X: y",
                Some("SyntaxError: invalid syntax"),
            ),
            (
                "Traceback (most recent call last):\n  File \"/a.py\", line 1, in <module>\npy4j.protocol.Py4JJavaError: An error occurred while \
                 calling o4.x.\n: java.io.IOException: full\n\tat a.B.c(B.scala:1)\nCaused by: x.Y: z\n",
                Some("java.io.IOException: full"),
            ),
            (
                "Traceback (most recent call last):\n  File \"/a.py\", line 1, in <module>\npy4j.protocol.Py4JJavaError: An error occurred while \
                 calling z:a.B.c.\n: org.apache.spark.SparkException: Job aborted: a.PythonException: Traceback (most recent call last):\n  File \
                 \"/a.py\", line 3, in f\nValueError: bad\n\n\tat a.B.c(B.scala:1)\nDriver stacktrace:\n\tat a.B.c(B.scala:1)\n",
                Some("ValueError: bad"),
            ),
            (
                "Error occurred during initialization of VM\nCould not reserve enough space for 9KB object heap",
                Some("Could not reserve enough space for 9KB object heap"),
            ),
            (
                "Unrecognized option: -Xfoo\nError: Could not create the Java Virtual Machine.\nError: A fatal exception has occurred. Program will exit.",
                Some("Unrecognized option: -Xfoo"),
            ),
            (
                "#\n# There is insufficient memory for the Java Runtime Environment to continue.\n# An error report file",
                Some("There is insufficient memory for the Java Runtime Environment to continue."),
            ),
        ] {
            assert_eq!(found(log).as_deref(), reason, "{log}");
        }
    }

    #[test]
    fn a_long_line_is_cut() {
        let reason = found(&format!("Error: {}", "é".repeat(10_000))).unwrap();
        assert_eq!(reason.chars().count(), MAX_CHARS);
    }
}
