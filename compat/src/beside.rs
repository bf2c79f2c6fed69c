//! Compares two servers: where their responses to the same scenarios differ.

use std::fmt::Write as _;

use serde_json::Value;

use crate::report::{Exchange, Outcome, Report, Verdict};
use crate::variables::Variables;

/// Headers to compare. Others must differ, such as the date, or do not matter.
const HEADERS: [&str; 5] = [
    "content-type",
    "location",
    "allow",
    "content-encoding",
    "retry-after",
];

/// The differences between the responses of two runs of the same scenarios. Ids and times count as
/// equal.
pub fn differences(left: &Report, right: &Report) -> String {
    let (mut text, mut expected, mut otherwise) = (String::new(), 0, 0);
    for outcome in &left.outcomes {
        let other = right
            .outcomes
            .iter()
            .find(|other| (&other.file, &other.scenario) == (&outcome.file, &outcome.scenario));
        let Some(other) = other else { continue };
        let pairs = outcome.exchanges.iter().zip(&other.exchanges);
        let lines: Vec<String> = pairs
            .flat_map(|(left, right)| compare(left, right))
            .collect();
        if lines.is_empty() {
            continue;
        }
        let are_expected = [outcome, other].map(is_as_expected) == [true, true];
        let (note, count) = if are_expected {
            (" (both as expected)", &mut expected)
        } else {
            ("", &mut otherwise)
        };
        *count += 1;
        let name = format!("{}: {}{note}", outcome.file, outcome.scenario);
        writeln!(text, "\n=== {name}\n{}", lines.join("\n")).expect("a String takes everything");
    }
    let sum = match expected + otherwise {
        0 => "both servers answer alike".to_owned(),
        all => format!(
            "\nthe answers differ in {all} scenarios: in {expected} both are as expected, in {otherwise} one is not"
        ),
    };
    writeln!(text, "{sum}").expect("a String takes everything");
    text
}

fn is_as_expected(outcome: &Outcome) -> bool {
    matches!(outcome.verdict, Verdict::Passed)
}

fn compare(left: &Exchange, right: &Exchange) -> Vec<String> {
    let mut lines = Vec::new();
    let mut differs = |what: &str, one: String, other: String| {
        if one != other {
            lines.push(format!("  {what}\n    < {one}\n    > {other}"));
        }
    };
    let status = |exchange: &Exchange| exchange.answer.status.to_string();
    differs("status", status(left), status(right));
    for name in HEADERS {
        let header = |exchange: &Exchange| {
            let value = exchange.answer.header(name).unwrap_or("(none)");
            masked(&Value::from(ordered(name, value)), &exchange.captured).to_string()
        };
        differs(name, header(left), header(right));
    }
    differs("body", body(left), body(right));
    if !lines.is_empty() {
        lines.insert(0, format!("  {}", left.request));
    }
    lines
}

/// The order of methods does not matter.
fn ordered(name: &str, value: &str) -> String {
    if name != "allow" {
        return value.to_owned();
    }
    let mut methods: Vec<&str> = value.split(',').map(str::trim).collect();
    methods.sort_unstable();
    methods.join(", ")
}

fn body(exchange: &Exchange) -> String {
    let answer = &exchange.answer;
    let body = answer
        .json()
        .unwrap_or_else(|| Value::from(answer.text.as_str()));
    masked(&body, &exchange.captured).to_string()
}

/// The value without the parts that always differ between two servers.
fn masked(value: &Value, captured: &Variables) -> Value {
    const YEAR_2000_MS: i64 = 946_684_800_000;
    let name = captured
        .iter()
        .find(|(_, known)| *known == value && !value.is_null());
    match value {
        _ if name.is_some() => Value::from(name.map(|(name, _)| format!("${{{name}}}"))),
        Value::Number(number) if number.as_i64().is_some_and(|ms| ms > YEAR_2000_MS) => {
            Value::from("$time")
        }
        Value::String(text) => {
            let mut text = text.clone();
            for (name, known) in captured {
                if let Some(id) = known.as_i64() {
                    text = text.replace(&format!("s/{id}"), &format!("s/${{{name}}}"));
                } else if let (Some(own), "unique" | "host") = (known.as_str(), name.as_str()) {
                    text = text.replace(own, &format!("${{{name}}}"));
                }
            }
            Value::from(text)
        }
        Value::Array(items) => items.iter().map(|item| masked(item, captured)).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), masked(value, captured)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::answer::Answer;

    fn exchange(id: i64, status: u16, time: i64) -> Exchange {
        Exchange {
            request: "GET /sessions".to_owned(),
            answer: Answer {
                status,
                headers: vec![("Location".to_owned(), format!("/sessions/{id}"))],
                text: json!({"id": id, "started": time}).to_string(),
                continued: false,
            },
            captured: Variables::from([("session".to_owned(), json!(id))]),
        }
    }

    #[test]
    fn the_order_of_methods_does_not_count() {
        assert_eq!(ordered("allow", "POST, GET,HEAD"), "GET, HEAD, POST");
        assert_eq!(ordered("location", "/b, /a"), "/b, /a");
    }

    #[test]
    fn ids_and_times_and_names_do_not_count() {
        let masked = |host: &str, unique: &str| {
            let captured = Variables::from([
                ("host".to_owned(), json!(host)),
                ("unique".to_owned(), json!(unique)),
            ]);
            super::masked(
                &json!([format!("http://{host}/ui"), format!("new {unique}")]),
                &captured,
            )
        };
        assert_eq!(masked("a:1", "f00"), masked("b:2", "ba7"));

        let (a, b) = (1_795_247_535_634, 1_795_247_535_635);
        assert_eq!(
            compare(&exchange(3, 200, a), &exchange(7, 200, b)),
            Vec::<String>::new()
        );
        assert_eq!(
            compare(&exchange(3, 200, a), &exchange(7, 500, b)),
            ["  GET /sessions", "  status\n    < 200\n    > 500"]
        );
    }
}
