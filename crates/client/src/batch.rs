//! The outcome of a batch.

use serde::Deserialize;

use crate::answers::Entry;
use crate::livy::Livy;

/// The exit code that shells use for a killed process.
const KILLED: u8 = 137;

/// The outcome of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Zero for success. Else the exit code of the application, or 128 plus the number of the
    /// signal that ended it. 1 if the server knows neither, 137 if the batch was killed.
    pub code: u8,
    /// The outcome as text.
    pub told: String,
}

#[derive(Debug, Default, Deserialize)]
struct Detail {
    #[serde(default)]
    end: Option<End>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct End {
    #[serde(default)]
    exit_code: Option<i64>,
    #[serde(default)]
    signal: Option<u8>,
    #[serde(default)]
    failure: Option<Failure>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    message: String,
    #[serde(default)]
    hint: String,
}

/// Returns the outcome of a batch. Livius knows exit codes and reasons. Other servers tell only the
/// state.
pub async fn outcome(livy: &Livy, batch: &Entry) -> Outcome {
    let end = if batch.state == "success" {
        None
    } else {
        let path = format!("/api/v1/batches/{}", batch.id);
        let detail = livy.get::<Detail>(&path).await;
        detail.ok().and_then(|detail| detail.end)
    };
    concluded(&batch.state, &end.unwrap_or_default())
}

fn concluded(state: &str, end: &End) -> Outcome {
    let (code, mut told) = match (state, end.signal, end.exit_code) {
        ("success", ..) => (0, "succeeded".to_owned()),
        ("killed", ..) => (KILLED, "was killed".to_owned()),
        (_, Some(signal), _) => (
            128_u8.saturating_add(signal),
            format!("failed: signal {signal} ended it"),
        ),
        (_, _, Some(code)) => {
            let shown = u8::try_from(code).ok().filter(|code| *code > 0);
            (shown.unwrap_or(1), format!("failed with exit code {code}"))
        }
        _ if end.failure.is_some() => (1, "failed".to_owned()),
        _ => (1, format!("failed: it is {state}")),
    };
    if let Some(failure) = &end.failure {
        told = format!("{told}: {}", failure.message);
        if !failure.hint.is_empty() {
            told = format!("{told}\n  what to do: {}", failure.hint);
        }
    }
    Outcome { code, told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_applications_exit_code_is_ours() {
        let cases = [
            ("success", "{}", 0, "succeeded"),
            ("killed", r#"{"exitCode":143}"#, 137, "was killed"),
            ("dead", r#"{"exitCode":3}"#, 3, "failed with exit code 3"),
            ("dead", r#"{"exitCode":0}"#, 1, "failed with exit code 0"),
            ("dead", r#"{"exitCode":-1}"#, 1, "failed with exit code -1"),
            (
                "dead",
                r#"{"exitCode":null,"signal":9}"#,
                137,
                "failed: signal 9 ended it",
            ),
            ("dead", "{}", 1, "failed: it is dead"),
            (
                "dead",
                r#"{"failure":{"message":"no Spark"}}"#,
                1,
                "failed: no Spark",
            ),
            (
                "dead",
                r#"{"exitCode":1,"failure":{"code":"x","message":"no Java","hint":"install one"}}"#,
                1,
                "failed with exit code 1: no Java\n  what to do: install one",
            ),
        ];
        for (state, end, code, told) in cases {
            let outcome = concluded(state, &serde_json::from_str(end).unwrap());
            assert_eq!((outcome.code, outcome.told.as_str()), (code, told), "{end}");
        }
    }
}
