//! The results of scenarios, as text and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::answer::Answer;
use crate::target::ServerKind;
use crate::version::LivyVersion;

/// The result of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The server's address, as the user wrote it.
    pub url: String,
    /// The kind of the server.
    pub server: ServerKind,
    /// The version of Livy, if it is known.
    pub version: Option<LivyVersion>,
    /// In the order of the files.
    pub outcomes: Vec<Outcome>,
}

/// The result of a scenario.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The name of its file.
    pub file: String,
    /// Its name.
    pub scenario: String,
    /// The rules that it tests.
    pub pins: Vec<String>,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The duration.
    pub duration_ms: u64,
    /// The last response of each step.
    pub exchanges: Vec<Exchange>,
}

/// The verdict on a scenario.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase", tag = "verdict", content = "detail")]
pub enum Verdict {
    /// All responses were as expected.
    Passed,
    /// A response differed.
    Differs(Box<Difference>),
    /// The scenario could not run.
    Skipped(String),
}

/// A response that was not as expected.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The method and the target.
    pub step: String,
    /// The whole request.
    pub request: String,
    /// The expected response.
    pub expected: String,
    /// The response.
    pub actual: String,
    /// A sentence for each difference.
    pub problems: Vec<String>,
}

/// A request and its response.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    /// The method and the target.
    pub request: String,
    /// The response.
    pub answer: Answer,
    /// Values by name, so that two servers can be compared.
    #[serde(skip)]
    pub captured: crate::variables::Variables,
}

impl Report {
    /// Tells whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.differing().next().is_none()
    }

    /// The scenarios with differences.
    pub fn differing(&self) -> impl Iterator<Item = (&Outcome, &Difference)> {
        self.outcomes
            .iter()
            .filter_map(|outcome| match &outcome.verdict {
                Verdict::Differs(difference) => Some((outcome, &**difference)),
                _ => None,
            })
    }

    /// A line for each scenario, the differences, and a summary.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut file = "";
        for outcome in &self.outcomes {
            if outcome.file != file {
                file = &outcome.file;
                line(&mut text, format_args!("\n{file}"));
            }
            line(&mut text, format_args!("  {}", outcome.line()));
        }
        text.push_str(&self.details());
        line(&mut text, format_args!("\n{}", self.sum()));
        text
    }

    /// The differences, side by side.
    pub fn details(&self) -> String {
        let mut text = String::new();
        for (outcome, difference) in self.differing() {
            line(
                &mut text,
                format_args!("\n=== {}: {}", outcome.file, outcome.scenario),
            );
            line(
                &mut text,
                format_args!("    pins {}", outcome.pins.join(", ")),
            );
            text.push_str(&difference.shown(self.server));
        }
        text
    }

    /// The number of scenarios by verdict.
    pub fn sum(&self) -> String {
        let count = |wanted: fn(&Verdict) -> bool| {
            let outcomes = self.outcomes.iter();
            outcomes.filter(|outcome| wanted(&outcome.verdict)).count()
        };
        let version = self.version.map(|version| format!(" {version}"));
        format!(
            "{} ({}{}): {} passed, {} differ, {} skipped",
            self.url,
            self.server,
            version.unwrap_or_default(),
            count(|verdict| matches!(verdict, Verdict::Passed)),
            count(|verdict| matches!(verdict, Verdict::Differs(_))),
            count(|verdict| matches!(verdict, Verdict::Skipped(_))),
        )
    }
}

impl Outcome {
    fn line(&self) -> String {
        let (word, rest) = match &self.verdict {
            Verdict::Passed => ("ok", String::new()),
            Verdict::Differs(difference) => {
                ("DIFFERS", format!(": {}", difference.problems.join("; ")))
            }
            Verdict::Skipped(why) => ("skipped", format!(": {why}")),
        };
        let seconds = Duration::from_millis(self.duration_ms).as_secs_f32();
        format!("{word:<8}{seconds:>6.2}s  {}{rest}", self.scenario)
    }
}

impl Difference {
    fn shown(&self, server: ServerKind) -> String {
        const WIDTH: usize = 78;
        let mut text = String::new();
        line(&mut text, format_args!("    at {}", self.step));
        for problem in &self.problems {
            line(&mut text, format_args!("    - {problem}"));
        }
        line(&mut text, format_args!("  request:"));
        for request in self.request.lines() {
            line(&mut text, format_args!("    {request}"));
        }
        let (left, right) = (wrapped(&self.expected, WIDTH), wrapped(&self.actual, WIDTH));
        line(
            &mut text,
            format_args!("  {:<WIDTH$} | actual", format!("expected of {server}")),
        );
        for index in 0..left.len().max(right.len()) {
            let of = |side: &[String]| side.get(index).cloned().unwrap_or_default();
            line(
                &mut text,
                format_args!("  {:<WIDTH$} | {}", of(&left), of(&right)),
            );
        }
        text
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments) {
    writeln!(text, "{arguments}").expect("a String takes everything");
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let characters: Vec<char> = line.chars().collect();
        if characters.is_empty() {
            lines.push(String::new());
        }
        lines.extend(characters.chunks(width).map(|piece| piece.iter().collect()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_shown_side_by_side() {
        let report = Report {
            url: "http://h".to_owned(),
            server: ServerKind::Livy,
            version: None,
            outcomes: vec![Outcome {
                file: "errors".to_owned(),
                scenario: "null".to_owned(),
                pins: vec!["a".to_owned()],
                verdict: Verdict::Differs(Box::new(Difference {
                    step: "POST /sessions".to_owned(),
                    request: "POST /sessions HTTP/1.1\n\nnull".to_owned(),
                    expected: "status: 500".to_owned(),
                    actual: "400\n\n\"no\"".to_owned(),
                    problems: vec!["the status is 400, not 500".to_owned()],
                })),
                duration_ms: 10,
                exchanges: Vec::new(),
            }],
        };
        let table = report.table();
        for part in [
            "DIFFERS   0.01s  null: the status is 400, not 500",
            "expected of livy ",
            "status: 500 ",
            "| \"no\"",
            "0 passed, 1 differ, 0 skipped",
        ] {
            assert!(table.contains(part), "{part}\n{table}");
        }
        assert!(!report.is_clean());
    }
}
