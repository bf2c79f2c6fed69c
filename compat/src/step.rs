//! A step of a scenario: a request and its expected response.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::ScenarioError;
use crate::exchange::Framing;
use crate::expectation::Expectation;
use crate::target::ServerKind;
use crate::variables::{Variables, filled};
use crate::version::LivyVersion;

/// A request and its expected response.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The method and the target, unchanged.
    pub send: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, unchanged.
    pub body: Option<String>,
    /// The body as JSON.
    pub json: Option<Value>,
    /// `gzip` or `deflate`.
    pub packing: Option<Packing>,
    #[serde(default)]
    pub framing: Framing,
    #[serde(default)]
    pub await_continue: bool,
    /// Adds a header with this many bytes.
    pub padding: Option<usize>,
    /// Repeats the request until this holds.
    pub until: Option<Until>,
    #[serde(default)]
    pub expect: Expectation,
    /// Livy's response, where it differs.
    pub livy: Option<Expectation>,
    /// The response of Livy up to this version, where it differs.
    #[serde(default)]
    pub older: BTreeMap<LivyVersion, Expectation>,
    /// Livius's response, where it differs.
    pub livius: Option<Expectation>,
    /// The reason of the difference.
    pub reason: Option<String>,
    /// Values to keep: a name, and its place in the JSON. The value is optional if the name ends in
    /// `?`.
    #[serde(default)]
    pub capture: BTreeMap<String, String>,
}

/// The encoding of a body.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    Gzip,
    Deflate,
}

/// The condition of a wait.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// The place in the JSON.
    #[serde(default)]
    pub at: String,
    /// The values that end the wait.
    #[serde(default)]
    pub is: Vec<Value>,
    /// Values that end the wait as a failure.
    #[serde(default)]
    pub not: Vec<Value>,
    /// A status to wait for, instead of a value.
    pub status: Option<u16>,
}

impl Step {
    /// The expected response of this server.
    pub fn expected_of(&self, kind: ServerKind, version: Option<LivyVersion>) -> Expectation {
        let own = match kind {
            ServerKind::Livy => &self.livy,
            ServerKind::Livius => &self.livius,
        };
        // From the newest to the oldest: the oldest that applies wins.
        let older = self.older.iter().rev().filter(|(last, _)| {
            kind == ServerKind::Livy && version.is_some_and(|version| version <= **last)
        });
        own.iter()
            .chain(older.map(|(_, own)| own))
            .fold(self.expect.clone(), |expected, own| expected.overlaid(own))
    }

    /// Tells whether the common expectation is a plain object, not a pattern.
    fn expects_an_object(&self) -> bool {
        let json = self.expect.json.as_ref().and_then(Value::as_object);
        json.is_some_and(|entries| entries.keys().all(|key| !key.starts_with('$')))
    }

    fn mistake(&self, must_expect: bool) -> Option<String> {
        let expectations = [Some(&self.expect), self.livy.as_ref(), self.livius.as_ref()];
        let mut mistakes = expectations
            .into_iter()
            .flatten()
            .chain(self.older.values())
            .flat_map(Expectation::mistakes);
        let mut over = self
            .livy
            .iter()
            .chain(&self.livius)
            .chain(self.older.values());
        let differs = (
            self.livy.is_some(),
            self.livius.is_some(),
            self.reason.is_some(),
        );
        if let Some(mistake) = mistakes.next() {
            Some(mistake)
        } else if !matches!(differs, (true, true, true) | (false, false, false)) {
            Some("`livy`, `livius` and `reason` go together".to_owned())
        } else if must_expect
            && self.livy.is_none()
            && self.until.is_none()
            && self.expect == Expectation::default()
        {
            Some("nothing is expected of it".to_owned())
        } else if !self.expect.but.is_empty()
            || over.any(|own| !own.but.is_empty()) && !self.expects_an_object()
        {
            Some("`but` is about the entries of `json` in `expect`".to_owned())
        } else if self.body.is_some() && self.json.is_some() {
            Some("`body` or `json`, not both".to_owned())
        } else if self.send.split_once(' ').is_none() {
            Some(format!("`send: {}` has no method and target", self.send))
        } else {
            None
        }
    }
}

/// Reads steps.
pub fn steps(
    values: &[Value],
    row: &Variables,
    must_expect: bool,
) -> Result<Vec<Step>, ScenarioError> {
    let read = |(index, value): (usize, &Value)| {
        let problem = |problem: String| ScenarioError::Step {
            step: index + 1,
            problem,
        };
        let step: Step = serde_json::from_value(filled(value, row))
            .map_err(|error| problem(error.to_string()))?;
        match step.mistake(must_expect) {
            Some(mistake) => Err(problem(mistake)),
            None => Ok(step),
        }
    };
    values.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_older_a_livy_the_more_is_laid_over() {
        let step: Step = serde_json::from_value(json!({
            "send": "GET /", "expect": {"status": 1, "headers": {"a": "expect", "b": "expect"}},
            "livy": {"headers": {"a": "livy"}}, "livius": {"headers": {"a": "livius"}}, "reason": "a test",
            "older": {"0.7": {"status": 7}, "0.8": {"status": 8, "headers": {"b": "0.8"}}},
        }))
        .unwrap();
        let told = |kind, version: &str| {
            let expected = step.expected_of(kind, LivyVersion::told(version));
            let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
            let headers: Vec<String> = expected.headers.values().map(text).collect();
            format!("{} {}", expected.status.unwrap(), headers.join(" "))
        };
        assert_eq!(told(ServerKind::Livius, "0.5.0"), "1 livius expect");
        assert_eq!(told(ServerKind::Livy, "<unknown>"), "1 livy expect");
        assert_eq!(told(ServerKind::Livy, "0.10.0"), "1 livy expect");
        assert_eq!(told(ServerKind::Livy, "0.8.0"), "8 livy 0.8");
        assert_eq!(told(ServerKind::Livy, "0.5.0"), "7 livy 0.8");
    }
}
