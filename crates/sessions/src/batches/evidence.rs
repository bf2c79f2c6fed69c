//! Finds the line of a log that tells why an application failed.

/// How many lines of the log's end are looked at.
pub const LINES: usize = 300;

/// The longest text that is taken from a line, in characters.
const MAX_CHARS: usize = 500;

/// Exceptions that only wrap the one that matters.
const WRAPPERS: [&str; 2] = [
    "java.lang.reflect.InvocationTargetException",
    "java.lang.reflect.UndeclaredThrowableException",
];

/// The last line that looks like the reason of a failure, without what frames it.
pub fn find(lines: &[String]) -> Option<String> {
    let mut found: Option<&str> = None;
    let mut in_traceback = false;
    let mut wrapped = false;
    for line in lines {
        let line = line.trim_end();
        if in_traceback {
            if line.is_empty() || line.starts_with([' ', '\t']) {
                continue;
            }
            in_traceback = false;
            found = Some(line);
            continue;
        }
        if line == "Traceback (most recent call last):" {
            in_traceback = true;
        } else if let Some(reason) = reason(line) {
            wrapped = WRAPPERS.iter().any(|wrapper| reason.starts_with(wrapper));
            found = Some(reason);
        } else if let Some(cause) = line.strip_prefix("Caused by: ")
            && wrapped
        {
            found = Some(cause);
        }
    }
    let reason = found?.trim();
    let cut: String = reason.chars().take(MAX_CHARS).collect();
    (!cut.is_empty()).then_some(cut)
}

fn reason(line: &str) -> Option<&str> {
    if let Some(thrown) = line.strip_prefix("Exception in thread \"") {
        return thrown.split_once("\" ").map(|(_, reason)| reason);
    }
    // Spark's launcher, and R.
    let spoken = line.starts_with("Error: ") || line.starts_with("Error in ");
    // The Python interpreter itself.
    let unreadable = line.contains(": can't open file ");
    let exhausted = line.starts_with("java.lang.OutOfMemoryError");
    (spoken || unreadable || exhausted).then_some(line)
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
