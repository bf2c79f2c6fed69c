//! The failures of sessions and batches: their codes, and what the server tells about one of them.
//!
//! [`FailureCode`] is a catalogue: each code has a title, a meaning, causes and remedies.
//! `docs/ERRORS.md` is generated from it. [`recognise`] finds the code that lines of a log tell.

mod catalogue;
mod document;
mod recognise;

use serde::{Deserialize, Serialize};

use crate::{Phase, redact};

pub use catalogue::{FailureCode, FailureEntry};
pub use document::markdown;
pub use recognise::{Clue, recognise};

/// The most lines of evidence that a failure keeps.
const EVIDENCE_LINES: usize = 8;

/// The longest line of evidence, in bytes.
const EVIDENCE_BYTES: usize = 500;

/// A failure that explains itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The code, for programs.
    pub code: FailureCode,
    /// When it happened.
    pub phase: Phase,
    /// The message, for people.
    pub message: String,
    /// The advice to the user.
    pub hint: String,
    /// The lines that the code was concluded from.
    #[serde(default, skip_serializing_if = "Evidence::is_empty")]
    pub evidence: Evidence,
}

impl Failure {
    /// The failure, with the code that a clue tells. A code that is exact already stays.
    #[must_use]
    pub fn explained_by(self, clue: Option<Clue>) -> Self {
        match clue {
            Some(Clue { code, evidence }) if self.code.is_general() => {
                let hint = match code {
                    // The hint says more about this signal, or about this verdict.
                    FailureCode::EndedBySignal
                    | FailureCode::EndedByCluster
                    | FailureCode::KilledAtManager => self.hint,
                    _ => code.hint().to_owned(),
                };
                Self {
                    code,
                    hint,
                    evidence,
                    ..self
                }
            }
            _ => self,
        }
    }

    /// Tells whether the agent lost its SparkContext, or could not make one.
    pub(crate) fn is_of_context(&self) -> bool {
        match self.code {
            FailureCode::ContextStopped => true,
            // It is no word of the agent.
            FailureCode::DriverRestarted => false,
            _ => self.phase == Phase::Context,
        }
    }

    /// The failure of a session or batch whose actor in the server has panicked.
    pub fn server_fault() -> Self {
        Self {
            code: FailureCode::ServerFault,
            phase: Phase::Running,
            message: "a fault in the server itself ended it".to_owned(),
            hint: "the server's log has the fault: report it to the server's developers".to_owned(),
            evidence: Evidence::default(),
        }
    }
}

/// Lines of a log, of a resource manager or of an agent that explain a failure: few, short, and
/// without secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Evidence(Vec<String>);

impl Evidence {
    /// Takes the first of these lines.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let told = lines.into_iter().map(str::trim);
        let told = told.filter(|line| !line.is_empty());
        Self(told.take(EVIDENCE_LINES).map(shown).collect())
    }

    /// Tells whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

/// A line without secrets, cut to the longest length. A secret that the cut goes through is hidden
/// first.
fn shown(line: &str) -> String {
    let hidden = redact::line(line);
    let cut = hidden.floor_char_boundary(EVIDENCE_BYTES);
    hidden[..cut].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_short_and_has_no_secrets() {
        let long = "é".repeat(400);
        let lines = [
            " \t",
            " fetch https://ann:hunter2@h/a.jar ",
            "login with password=hunter2",
            &long,
        ];
        let evidence = Evidence::of(lines.into_iter().chain(["more"; 20]));
        assert_eq!(evidence.lines().len(), EVIDENCE_LINES);
        assert_eq!(
            evidence.lines()[0],
            format!("fetch https://ann:{}@h/a.jar", redact::REDACTED)
        );
        assert_eq!(evidence.lines()[1], redact::REDACTED);
        assert_eq!(evidence.lines()[2].len(), EVIDENCE_BYTES);
        assert!(!format!("{evidence:?}").contains("hunter2"));
    }

    #[test]
    fn a_failure_of_an_earlier_version_has_no_evidence() {
        let stored = r#"{"code":"launch_failed","phase":"launch","message":"m","hint":"h"}"#;
        let failure: Failure = serde_json::from_str(stored).unwrap();
        assert!(failure.evidence.is_empty());
        assert_eq!(serde_json::to_string(&failure).unwrap(), stored);
    }
}
