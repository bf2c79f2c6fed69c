//! A scenario: requests and expected responses.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::ScenarioError;
use crate::step::{Step, steps};
use crate::variables::{Variables, filled_text};
use crate::version::LivyVersion;

/// A scenario as written in a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    name: String,
    /// The rules that it tests, by id.
    pins: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// The variables that it needs.
    #[serde(default)]
    needs: Vec<String>,
    /// The first version of Livy with the feature. A row may set it.
    since: Option<String>,
    /// The scenario runs once for each row of variables.
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
    /// The first version of Livy with the feature.
    pub since: Option<LivyVersion>,
    pub steps: Vec<Step>,
    /// Runs even after a failure.
    pub cleanup: Vec<Step>,
}

impl Text {
    /// Its name in messages.
    pub fn name_of(value: &Value) -> String {
        value["name"]
            .as_str()
            .unwrap_or("without a name")
            .to_owned()
    }

    /// Expands it to one scenario for each row.
    pub fn scenarios(value: Value) -> Result<Vec<Scenario>, ScenarioError> {
        let text: Self = serde_json::from_value(value)?;
        if text.pins.is_empty() {
            return Err(ScenarioError::Rule("it pins no rule"));
        }
        if text.steps.is_empty() {
            return Err(ScenarioError::Rule("it has no steps"));
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
            since: self.since(row)?,
            steps: steps(&self.steps, row, true)?,
            cleanup: steps(&self.cleanup, row, false)?,
        })
    }

    fn since(&self, row: &Variables) -> Result<Option<LivyVersion>, ScenarioError> {
        let text = self.since.as_ref().map(|text| filled_text(text, row));
        let version = text.map(|text| text.parse().map_err(ScenarioError::Since));
        version.transpose()
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
                step(
                    json!({"send": "GET /", "expect": {"json": {"$has": {}}}, "older": {"0.8": {"but": {"a": 1}}}}),
                ),
                "step 1: `but` is about the entries of `json` in `expect`",
            ),
            (
                step(
                    json!({"send": "GET /", "expect": {"status": 1}, "older": {"0.8.0": {"status": 2}}}),
                ),
                "step 1: \"0.8.0\" is no version of Livy such as 0.7",
            ),
            (
                json!({"name": "n", "pins": ["a"], "since": "old", "steps": [{"send": "GET /", "expect": {"status": 1}}]}),
                "since: \"old\" is no version of Livy such as 0.7",
            ),
            (
                json!({"name": "n", "pins": [], "steps": []}),
                "it pins no rule",
            ),
            (
                json!({"name": "n", "pins": ["a"], "steps": []}),
                "it has no steps",
            ),
        ] {
            assert_eq!(Text::scenarios(scenario).unwrap_err().to_string(), expected);
        }
    }
}
