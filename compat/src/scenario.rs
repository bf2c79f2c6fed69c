//! A scenario: what is sent, and what must come back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::exchange::Framing;
use crate::expectation::Expectation;
use crate::target::ServerKind;
use crate::variables::{Variables, filled, filled_text};

/// Why a scenario cannot be read.
#[derive(Debug, Error)]
pub enum ScenarioError {
    #[error("{0}")]
    Shape(#[from] serde_json::Error),
    #[error("step {step}: {problem}")]
    Step { step: usize, problem: String },
    #[error("{0}")]
    Rule(&'static str),
}

/// A scenario as it stands in a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    name: String,
    /// The rules that it pins, by id.
    pins: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// Variables without which it cannot be run.
    #[serde(default)]
    needs: Vec<String>,
    /// Why there is nothing to run yet.
    pending: Option<String>,
    /// The scenario is run with each of these variables.
    #[serde(default)]
    rows: Vec<Map<String, Value>>,
    #[serde(default)]
    steps: Vec<Value>,
    #[serde(default)]
    cleanup: Vec<Value>,
}

/// One scenario, for one row.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    /// The name without the row's variables.
    pub template: String,
    pub pins: Vec<String>,
    pub tags: Vec<String>,
    pub needs: Vec<String>,
    pub pending: Option<String>,
    pub steps: Vec<Step>,
    /// Run in any case.
    pub cleanup: Vec<Step>,
}

/// A request, and what must come back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The method and the target, as they are.
    pub send: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body as it is.
    pub body: Option<String>,
    /// The body as JSON.
    pub json: Option<Value>,
    /// `gzip` or `deflate`.
    pub packing: Option<Packing>,
    #[serde(default)]
    pub framing: Framing,
    #[serde(default)]
    pub await_continue: bool,
    /// A header of so many bytes more.
    pub padding: Option<usize>,
    /// Asks again until it is so.
    pub until: Option<Until>,
    #[serde(default)]
    pub expect: Expectation,
    /// What Livy says otherwise.
    pub livy: Option<Expectation>,
    /// What Livius says otherwise.
    pub livius: Option<Expectation>,
    /// Why they differ.
    pub reason: Option<String>,
    /// Values to keep: a name, and where it stands in the JSON. It need not be there if the name ends in `?`.
    #[serde(default)]
    pub capture: BTreeMap<String, String>,
}

/// How a body is packed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    Gzip,
    Deflate,
}

/// What is waited for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Where in the JSON.
    #[serde(default)]
    pub at: String,
    /// One of these.
    #[serde(default)]
    pub is: Vec<Value>,
    /// Any of these ends the wait at once.
    #[serde(default)]
    pub not: Vec<Value>,
    /// A status to wait for, instead of a value.
    pub status: Option<u16>,
    /// Seconds.
    #[serde(default = "default_within")]
    pub within: u64,
}

fn default_within() -> u64 {
    180
}

impl Step {
    /// What a server must answer.
    pub fn expected_of(&self, kind: ServerKind) -> Expectation {
        let own = match kind {
            ServerKind::Livy => &self.livy,
            ServerKind::Livius => &self.livius,
        };
        match own {
            Some(own) => self.expect.overlaid(own),
            None => self.expect.clone(),
        }
    }

    fn mistake(&self, must_expect: bool) -> Option<String> {
        let expectations = [Some(&self.expect), self.livy.as_ref(), self.livius.as_ref()];
        let mut mistakes = expectations
            .into_iter()
            .flatten()
            .flat_map(Expectation::mistakes);
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

impl Text {
    /// What it is called, in messages about it.
    pub fn name_of(value: &Value) -> String {
        value["name"]
            .as_str()
            .unwrap_or("without a name")
            .to_owned()
    }

    /// The scenarios that it stands for: one for each row.
    pub fn scenarios(value: Value) -> Result<Vec<Scenario>, ScenarioError> {
        let text: Self = serde_json::from_value(value)?;
        if text.pins.is_empty() {
            return Err(ScenarioError::Rule("it pins no rule"));
        }
        if text.pending.is_some() != text.steps.is_empty() {
            return Err(ScenarioError::Rule(
                "a pending scenario has no steps, and any other has some",
            ));
        }
        if text.rows.is_empty() {
            return Ok(vec![text.scenario(&Variables::new())?]);
        }
        let rows = text.rows.iter().map(|row| {
            let row = row.iter();
            text.scenario(
                &row.map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            )
        });
        let mut scenarios: Vec<Scenario> = rows.collect::<Result<_, _>>()?;
        number(&mut scenarios);
        Ok(scenarios)
    }

    fn scenario(&self, row: &Variables) -> Result<Scenario, ScenarioError> {
        Ok(Scenario {
            name: filled_text(&self.name, row).replace('\n', " ⏎ "),
            template: self.name.clone(),
            pins: self.pins.clone(),
            tags: self.tags.clone(),
            needs: self.needs.clone(),
            pending: self.pending.clone(),
            steps: steps(&self.steps, row, true)?,
            cleanup: steps(&self.cleanup, row, false)?,
        })
    }
}

/// Tells scenarios of the same name apart.
fn number(scenarios: &mut [Scenario]) {
    let names: Vec<String> = scenarios.iter().map(|one| one.name.clone()).collect();
    for (index, scenario) in scenarios.iter_mut().enumerate() {
        if names.iter().filter(|name| **name == scenario.name).count() > 1 {
            scenario.name = format!("{} ({})", scenario.name, index + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_a_scenario() {
        let scenarios = Text::scenarios(json!({
            "name": "GET ${path}", "pins": ["a"],
            "rows": [{"path": "/a", "status": 200}, {"path": "/b", "status": 404}],
            "steps": [{"send": "GET ${path}", "expect": {"status": "${status}"}}],
        }))
        .unwrap();
        let names: Vec<&str> = scenarios.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["GET /a", "GET /b"]);
        assert_eq!(scenarios[1].steps[0].expect.status, Some(json!(404)));
    }

    #[test]
    fn slips_are_told() {
        let step = |step: Value| json!({"name": "n", "pins": ["a"], "steps": [step]});
        for (scenario, expected) in [
            (
                step(json!({"send": "GET /"})),
                "step 1: nothing is expected of it",
            ),
            (
                step(json!({"send": "GET /", "livius": {"status": 1}})),
                "step 1: `livy`, `livius` and `reason` go together",
            ),
            (
                step(json!({"send": "/", "expect": {"status": 1}})),
                "step 1: `send: /` has no method and target",
            ),
            (
                step(json!({"send": "GET /", "expect": {"text": "$txt"}})),
                "step 1: $txt is no pattern",
            ),
            (
                json!({"name": "n", "pins": [], "steps": []}),
                "it pins no rule",
            ),
            (
                json!({"name": "n", "pins": ["a"], "steps": []}),
                "a pending scenario has no steps, and any other has some",
            ),
        ] {
            assert_eq!(Text::scenarios(scenario).unwrap_err().to_string(), expected);
        }
    }
}
