//! Batches: submitting them, and how they ended.

use serde::Deserialize;

use crate::answers::Entry;
use crate::livy::Livy;

/// As shells have it for what was killed.
const KILLED: u8 = 137;

/// How a batch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Zero, or the exit code of the application where the server knows it: 1 where it does not, 137 for one that was killed, and 128 with
    /// the number of the signal for one that a signal ended.
    pub code: u8,
    /// How it ended, for people.
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

/// Tells how a batch ended. Livius knows exit codes and reasons; of other servers only the state is known.
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
