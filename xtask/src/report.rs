//! The end of the suite: what was skipped, the time of each step, and the slowest tests.

use std::fmt::Write as _;
use std::time::Duration;

use crate::steps::{Step, minutes};

/// The number of the slowest tests that are shown.
const SLOWEST: usize = 10;

/// The results that the tests report.
#[derive(Debug, Default)]
pub struct Report {
    skipped: Vec<String>,
    passed: u32,
    timed: Vec<(Duration, String)>,
}

impl Report {
    /// Tells whether a line of a test's output says something for the report.
    pub fn wants(line: &str) -> bool {
        line.contains("SKIPPED")
            || line.starts_with("test result: ")
            || (line.starts_with("test ") && line.contains("... ignored"))
    }

    /// Takes such a line.
    pub fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += passed(result);
        } else if let Some(at) = line.find("SKIPPED") {
            self.skip(&line[at..]);
        } else if let Some((test, reason)) = line.split_once(" ... ignored") {
            let reason = reason.trim_start_matches([',', ' ']);
            self.skip(&format!("SKIPPED: {test}: {reason}"));
        }
    }

    /// Notes that something was skipped.
    pub fn skip(&mut self, text: &str) {
        if !self.skipped.iter().any(|known| known == text) {
            self.skipped.push(text.to_owned());
        }
    }

    /// Reads the file in which tests write their times: seconds and a name on each line.
    pub fn read_times(&mut self, text: &str) {
        let timed = text.lines().filter_map(|line| {
            let (seconds, name) = line.split_once(' ')?;
            let took = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
            Some((took, name.to_owned()))
        });
        self.timed.extend(timed);
        self.timed.sort_by(|(one, _), (other, _)| other.cmp(one));
    }

    /// The report as text.
    pub fn text(&self, steps: &[Step]) -> String {
        let mut text = String::new();
        for skipped in &self.skipped {
            let _ = writeln!(text, "{skipped}");
        }
        let _ = writeln!(text, "time of each step:");
        for Step { name, took } in steps {
            let _ = writeln!(text, "  {}  {name}", minutes(*took));
        }
        if !self.timed.is_empty() {
            let _ = writeln!(text, "slowest tests on real Spark:");
        }
        for (took, name) in self.timed.iter().take(SLOWEST) {
            let _ = writeln!(text, "  {:>5.1} s  {name}", took.as_secs_f64());
        }
        let _ = writeln!(text, "tests that passed: {}", self.passed);
        text
    }
}

/// The number of tests that passed, as `cargo test` says it: `ok. 12 passed; 0 failed; …`.
fn passed(result: &str) -> u32 {
    let words: Vec<&str> = result.split_whitespace().collect();
    words
        .windows(2)
        .find(|pair| pair[1] == "passed;")
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
     Running tests/spark/main.rs (target/debug/deps/spark-0)
SKIPPED: no R on this machine
test spark_4::cancel::r ... SKIPPED: no R on this machine
test spark_4::cancel::scala ... ok
test wide ... ignored, a measurement
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 9.0s
test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.0s
";

    #[test]
    fn the_report_says_what_was_skipped_and_what_took_long() {
        let mut report = Report::default();
        for line in OUTPUT.lines().filter(|line| Report::wants(line)) {
            report.read(line);
        }
        let times: Vec<String> = (0..12).map(|n| format!("{n}.5 test_{n}")).collect();
        report.read_times(&times.join("\n"));
        report.read_times("no line of times\n70.0 spark_4::slow");
        let steps = [("clippy", 61), ("tests: the others", 3)].map(|(name, seconds)| Step {
            name: name.to_owned(),
            took: Duration::from_secs(seconds),
        });
        assert_eq!(
            report.text(&steps),
            "\
SKIPPED: no R on this machine
SKIPPED: test wide: a measurement
time of each step:
   1m01s  clippy
   0m03s  tests: the others
slowest tests on real Spark:
   70.0 s  spark_4::slow
   11.5 s  test_11
   10.5 s  test_10
    9.5 s  test_9
    8.5 s  test_8
    7.5 s  test_7
    6.5 s  test_6
    5.5 s  test_5
    4.5 s  test_4
    3.5 s  test_3
tests that passed: 15
"
        );
    }
}
