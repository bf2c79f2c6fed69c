//! Expectations of a response.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::pattern::{self, differences, text_difference};
use crate::variables::{Variables, filled, filled_text};

/// The content type of every JSON response, unless the expectation names the header.
const JSON: &str = "application/json;charset=utf-8";

/// Marks an absent entry.
const ABSENT: &str = "$absent";

/// Expectations of a response. A field that is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// A number, or a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Value>,
    /// Patterns by name. Null means that the header must be absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Value>,
    /// A pattern for the body as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// Changes entries of the common `json` object. `$absent` removes an entry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub but: BTreeMap<String, Value>,
    /// The body as text: the text itself, or `$re:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// True if `100 Continue` arrives first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continued: Option<bool>,
}

impl Expectation {
    /// This expectation, with the fields of the other one on top.
    pub fn overlaid(&self, other: &Self) -> Self {
        let mut headers = self.headers.clone();
        headers.extend(other.headers.clone());
        // The fields for the body exclude each other.
        let (mut json, text) = if other.json.is_some() || other.text.is_some() {
            (other.json.clone(), other.text.clone())
        } else {
            (self.json.clone(), self.text.clone())
        };
        if let Some(Value::Object(entries)) = &mut json {
            alter(entries, &other.but);
        }
        Self {
            status: other.status.clone().or_else(|| self.status.clone()),
            headers,
            json,
            but: self.but.clone(),
            text,
            continued: other.continued.or(self.continued),
        }
    }

    /// This expectation with its variables replaced.
    pub fn filled(&self, variables: &Variables) -> Self {
        let headers = self.headers.iter();
        Self {
            status: self.status.as_ref().map(|value| filled(value, variables)),
            headers: headers
                .map(|(name, value)| (name.clone(), filled(value, variables)))
                .collect(),
            json: self.json.as_ref().map(|value| filled(value, variables)),
            but: self.but.clone(),
            text: self.text.as_ref().map(|text| filled_text(text, variables)),
            continued: self.continued,
        }
    }

    /// Returns how a response differs.
    pub fn problems(&self, answer: &Answer) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(status) = &self.status {
            let actual = Value::from(answer.status);
            found.extend(
                differences(status, &actual)
                    .into_iter()
                    .map(|problem| problem.replacen("the value", "the status", 1)),
            );
        }
        for (name, pattern) in &self.headers {
            let actual = answer.header(name).map_or(Value::Null, Value::from);
            let problems = differences(pattern, &actual).into_iter();
            found.extend(
                problems.map(|text| text.replacen("the value", &format!("header {name}"), 1)),
            );
        }
        if self.json.is_some() && !self.names_content_type() {
            let actual = answer.header("content-type").unwrap_or_default();
            if actual != JSON {
                found.push(format!("header content-type is {actual:?}, not {JSON:?}"));
            }
        }
        found.extend(self.body_problems(answer));
        if let Some(continued) = self.continued
            && continued != answer.continued
        {
            let not = if continued { "not " } else { "" };
            found.push(format!("the server did {not}say 100 Continue"));
        }
        found
    }

    fn body_problems(&self, answer: &Answer) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(pattern) = &self.json {
            match answer.json() {
                Some(actual) => found.extend(differences(pattern, &actual)),
                None => found.push("the body is no JSON".to_owned()),
            }
        }
        if let Some(text) = &self.text {
            let problem = text_difference(text, &answer.text);
            found.extend(problem.map(|problem| problem.replacen("the value", "the body", 1)));
        }
        found
    }

    fn names_content_type(&self) -> bool {
        self.headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"))
    }

    /// Checks the patterns.
    pub fn mistakes(&self) -> Vec<String> {
        let text = self.text.as_deref().map(Value::from);
        let but = self.but.values().filter(|value| *value != ABSENT);
        let patterns = self.headers.values().chain(&self.status).chain(&self.json);
        patterns
            .chain(but)
            .chain(&text)
            .flat_map(pattern::mistakes)
            .collect()
    }
}

fn alter(entries: &mut Map<String, Value>, but: &BTreeMap<String, Value>) {
    for (key, value) in but {
        if value == ABSENT {
            entries.shift_remove(key);
        } else {
            entries.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expectation(value: Value) -> Expectation {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn answers_are_held_against_expectations() {
        let answer = Answer {
            status: 200,
            headers: vec![("Content-Type".to_owned(), JSON.to_owned())],
            text: "{\"a\":1}".to_owned(),
            continued: false,
        };
        for (expected, problems) in [
            (json!({"status": 200, "json": {"a": 1}}), &[][..]),
            (json!({"headers": {"server": null}}), &[]),
            (
                json!({"status": {"$one_of": [404, 400]}}),
                &["the status is 200, none of [404,400]"],
            ),
            (
                json!({"headers": {"allow": "GET"}}),
                &["header allow is null, not \"GET\""],
            ),
            (
                json!({"headers": {"content-type": null}, "json": {"a": 2}}),
                &[
                    "header content-type is \"application/json;charset=utf-8\", not null",
                    "/a is 1, not 2",
                ],
            ),
            (
                json!({"text": "", "continued": true}),
                &[
                    "the body is \"{\\\"a\\\":1}\", not \"\"",
                    "the server did not say 100 Continue",
                ],
            ),
        ] {
            assert_eq!(
                expectation(expected.clone()).problems(&answer),
                problems,
                "{expected}"
            );
        }
    }

    #[test]
    fn what_a_server_says_otherwise_counts() {
        let common = expectation(json!({"status": 400, "headers": {"a": "1"}, "text": "x"}));
        let other = expectation(json!({"status": 500, "json": {"b": 2}}));
        assert_eq!(
            common.overlaid(&other),
            expectation(json!({"status": 500, "headers": {"a": "1"}, "json": {"b": 2}}))
        );
        let object = expectation(json!({"json": {"a": 1, "b": 2, "c": 3}}));
        let other = expectation(json!({"but": {"a": "$absent", "b": 5}}));
        let overlaid = object.overlaid(&other).json.unwrap();
        assert_eq!(overlaid.to_string(), r#"{"b":5,"c":3}"#);
    }
}
