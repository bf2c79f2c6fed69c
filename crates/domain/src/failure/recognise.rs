//! Recognises failures by the lines that Spark, the JVM, Python and resource managers print.
//!
//! The log belongs to the user's code, so a line counts only in the shape in which a failing program
//! prints it: an exception at the line's beginning, not a word anywhere.

use serde::{Deserialize, Serialize};

use super::FailureCode::{
    BadMaster, ClassNotFound, DiskFull, ImportError, JavaUnsupported, LinkLost,
    OutOfContainerMemory, OutOfHeap, OutOfMachineMemory, PackagesUnresolved, PermissionDenied,
    PortInUse, PythonMissing, PythonTooOld, PythonVersionMismatch, ResourcesRefused,
    ResultTooLarge,
};
use super::{Evidence, FailureCode};

/// A failure, concluded from lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clue {
    /// The failure's code.
    pub code: FailureCode,
    /// The lines that it was concluded from.
    pub evidence: Evidence,
}

impl Clue {
    /// A clue that rests on this line, if any.
    pub fn of(code: FailureCode, line: Option<&str>) -> Self {
        Self {
            code,
            evidence: Evidence::of(line),
        }
    }

    /// Whether it counts although the log is that of a session's code, which may have caught an
    /// exception and gone on: the process does not go on after these.
    pub(crate) fn ends_a_process(&self) -> bool {
        matches!(
            self.code,
            OutOfHeap | OutOfMachineMemory | LinkLost | FailureCode::KilledByKernel
        )
    }
}

/// The lines that a recogniser looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The lines of the last failure in the log. A program may have gone on after an earlier one.
    Last,
    /// All. Other failures follow from this one.
    All,
}

/// The beginning of a line that a recogniser wants.
#[derive(Clone, Copy)]
enum Shape {
    /// The name of an exception.
    Exception,
    /// One of these texts.
    Starts(&'static [&'static str]),
    /// Any: the words are our own.
    Any,
}

struct Recogniser {
    code: FailureCode,
    reach: Reach,
    shape: Shape,
    words: &'static [&'static str],
}

const fn of(
    code: FailureCode,
    reach: Reach,
    shape: Shape,
    words: &'static [&'static str],
) -> Recogniser {
    Recogniser {
        code,
        reach,
        shape,
        words,
    }
}

/// The first that fits counts.
const RECOGNISERS: &[Recogniser] = {
    use Reach::{All, Last};
    use Shape::{Any, Exception, Starts};
    &[
        of(
            OutOfContainerMemory,
            All,
            Starts(&["Application application_"]),
            &[" beyond the '", "' memory limit"],
        ),
        of(
            OutOfContainerMemory,
            All,
            Starts(&["the container "]),
            &["(OOMKilled)"],
        ),
        of(
            LinkLost,
            All,
            Any,
            &["the driver ends: no contact with the server for "],
        ),
        // Spark wraps it in an error of its memory.
        of(DiskFull, Last, Exception, &["No space left on device"]),
        of(DiskFull, Last, Exception, &["Disk quota exceeded"]),
        of(
            OutOfMachineMemory,
            All,
            Starts(&[
                "java.lang.OutOfMemoryError: unable to create native thread",
                "Could not reserve enough space for ",
                "# There is insufficient memory for the Java",
            ]),
            &[],
        ),
        of(
            OutOfHeap,
            All,
            Starts(&[
                "java.lang.OutOfMemoryError: Java heap space",
                "java.lang.OutOfMemoryError: GC overhead limit exceeded",
                "Terminating due to java.lang.OutOfMemoryError: ",
            ]),
            &[],
        ),
        of(
            OutOfHeap,
            Last,
            Exception,
            &["System memory ", " must be at least "],
        ),
        of(
            ResultTooLarge,
            Last,
            Exception,
            &["is bigger than spark.driver.maxResultSize"],
        ),
        of(
            PackagesUnresolved,
            All,
            Exception,
            &["[unresolved dependency: "],
        ),
        of(
            BadMaster,
            Last,
            Exception,
            &["Master must either be yarn or start with "],
        ),
        of(
            BadMaster,
            Last,
            Exception,
            &["Could not parse Master URL: "],
        ),
        of(BadMaster, Last, Exception, &["Invalid master URL: "]),
        of(
            PortInUse,
            Last,
            Starts(&["java.net.BindException: "]),
            &[": Service '", "' failed after "],
        ),
        of(
            JavaUnsupported,
            Last,
            Starts(&["java.lang.UnsupportedOperationException: getSubject is not supported"]),
            &[],
        ),
        of(
            JavaUnsupported,
            Last,
            Exception,
            &["has been compiled by a more recent version of the Java Runtime"],
        ),
        of(
            ResourcesRefused,
            Last,
            Exception,
            &[" above the max threshold "],
        ),
        of(ResourcesRefused, Last, Exception, &[" to unknown queue: "]),
        of(
            ResourcesRefused,
            Last,
            Exception,
            &[" does not have permission to submit "],
        ),
        of(ResourcesRefused, Last, Exception, &["exceeded quota: "]),
        of(
            PythonMissing,
            Last,
            Exception,
            &[
                "Cannot run program \"",
                "python",
                "No such file or directory",
            ],
        ),
        of(
            PythonMissing,
            Last,
            Any,
            &["the Python executable '", "' cannot be started: "],
        ),
        of(
            PythonTooOld,
            Last,
            Any,
            &["Livius needs Python ", " or newer and this is Python "],
        ),
        of(
            PythonVersionMismatch,
            Last,
            Exception,
            &["Python in worker has different version"],
        ),
        of(
            ImportError,
            Last,
            Starts(&["ModuleNotFoundError: ", "ImportError: "]),
            &[],
        ),
        of(
            ImportError,
            Last,
            Any,
            &["Python ", " cannot load PySpark: "],
        ),
        of(
            ClassNotFound,
            Last,
            Starts(&[
                "Error: Failed to load class ",
                "java.lang.ClassNotFoundException: ",
                "java.lang.NoClassDefFoundError: ",
            ]),
            &[],
        ),
        of(PermissionDenied, Last, Exception, &["Permission denied"]),
        of(
            PermissionDenied,
            Last,
            Exception,
            &[" is forbidden: User \""],
        ),
    ]
};

/// Concludes the failure from lines, the oldest first. `None` if they have no known one.
pub fn recognise<L: AsRef<str>>(lines: &[L]) -> Option<Clue> {
    let lines: Vec<&str> = lines.iter().map(|line| line.as_ref().trim_end()).collect();
    let last = &lines[beginning(&lines)..];
    RECOGNISERS.iter().find_map(|recogniser| {
        let lines = match recogniser.reach {
            Reach::All => &lines[..],
            Reach::Last => last,
        };
        let mut found: Vec<&str> = Vec::new();
        for line in lines.iter().filter(|line| recogniser.fits(line)) {
            // Spark prints many exceptions several times.
            if !found.contains(line) {
                found.push(line);
            }
        }
        (!found.is_empty()).then(|| Clue {
            code: recogniser.code,
            evidence: Evidence::of(found),
        })
    })
}

/// The index of the first line of the last failure. A traceback of a worker, which is a part of an
/// exception, begins within a line.
fn beginning(lines: &[&str]) -> usize {
    let begins = |line: &&str| {
        line.starts_with("Exception in thread \"") || *line == "Traceback (most recent call last):"
    };
    let last = lines.iter().rposition(begins).unwrap_or(0);
    // Spark 4 has tracebacks of workers on lines of their own.
    let of_worker = lines[..last]
        .last()
        .is_some_and(|before| before.ends_with("An exception was thrown from the Python worker:"));
    if of_worker {
        return beginning(&lines[..last]);
    }
    last
}

impl Recogniser {
    fn fits(&self, line: &str) -> bool {
        let told = told_by_yarn(line);
        let head = told.unwrap_or_else(|| head(line));
        let has_shape = match self.shape {
            // YARN tells an exception without its name.
            Shape::Exception => told.is_some() || is_exception(head),
            Shape::Starts(starts) => starts.iter().any(|start| head.starts_with(start)),
            Shape::Any => true,
        };
        has_shape && self.words.iter().all(|words| head.contains(words))
    }
}

/// The reason that YARN gives for the failure of an application.
fn told_by_yarn(line: &str) -> Option<&str> {
    let told = line.strip_prefix("YARN says that ")?;
    Some(told.split_once(" failed: ")?.1)
}

/// The line without the words in front of an exception.
fn head(line: &str) -> &str {
    if let Some(thrown) = line.strip_prefix("Exception in thread \"") {
        return thrown.split_once("\" ").map_or(line, |(_, thrown)| thrown);
    }
    // Py4J has a colon in front of Java's exceptions.
    ["Caused by: ", ": "]
        .iter()
        .find_map(|words| line.strip_prefix(words))
        .unwrap_or(line)
}

/// Tells whether a text begins like `java.io.IOException: ` or `OSError: `.
fn is_exception(text: &str) -> bool {
    let Some((name, _)) = text.split_once(": ") else {
        return false;
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$');
    name.chars().all(is_name) && (name.ends_with("Error") || name.ends_with("Exception"))
}

#[cfg(test)]
mod tests;
