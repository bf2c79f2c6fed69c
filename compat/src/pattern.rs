//! Patterns for JSON values.
//!
//! A pattern is a JSON value. Plain values must be equal. An object must have exactly the pattern's
//! keys in the pattern's order, as Livy's responses have. Strings and keys that begin with `$` have
//! other meanings:
//!
//! | pattern | matches |
//! |---|---|
//! | `$any` | anything |
//! | `$string` `$int` `$number` `$bool` `$list` `$object` | a value of that type; with `?` at the end, `null` too |
//! | `$double` | a number that is written with a fraction, such as `1.0` |
//! | `$time` | milliseconds since 1970, of this century |
//! | `$re:REGEX` | a string that the expression is found in |
//! | `{$has: {…}}` | an object with at least these entries |
//! | `{$each: P}` | a list or an object, each value of which matches |
//! | `{$has: [P…]}` | a list with a match for each of these |
//! | `{$starts: [P…]}`, `{$length: N}` | a list that begins so; has so many items |
//! | `{$one_of: [P…]}`, `{$not: P}` | a match of any; of none |

use regex::Regex;
use serde_json::{Map, Value};

/// Compares a value with a pattern, and returns a sentence for each difference.
pub fn differences(pattern: &Value, actual: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(pattern, actual, "", &mut found);
    found
}

/// Compares a text with a pattern for texts: the text itself, or `$re:`.
pub fn text_difference(pattern: &str, actual: &str) -> Option<String> {
    let mut found = Vec::new();
    compare(&Value::from(pattern), &Value::from(actual), "", &mut found);
    found.pop()
}

/// Checks the pattern itself.
pub fn mistakes(pattern: &Value) -> Vec<String> {
    match pattern {
        Value::String(text) if text.starts_with('$') && !text.starts_with("${") => {
            let known = text.strip_prefix("$re:").map_or_else(
                || is_type(text.trim_end_matches('?')),
                |expression| Regex::new(&without_variables(expression)).is_ok(),
            );
            if known {
                Vec::new()
            } else {
                vec![format!("{text} is no pattern")]
            }
        }
        Value::Array(items) => items.iter().flat_map(mistakes).collect(),
        Value::Object(entries) => entries
            .iter()
            .flat_map(|(key, value)| {
                let mut found = mistakes(value);
                if key.starts_with('$') && !OPERATORS.contains(&key.as_str()) {
                    found.push(format!("{key} is no pattern"));
                }
                found
            })
            .collect(),
        _ => Vec::new(),
    }
}

const OPERATORS: [&str; 6] = ["$has", "$each", "$starts", "$length", "$one_of", "$not"];

const TYPES: [&str; 9] = [
    "$any", "$string", "$int", "$number", "$bool", "$list", "$object", "$double", "$time",
];

fn is_type(text: &str) -> bool {
    TYPES.contains(&text)
}

fn without_variables(expression: &str) -> String {
    expression.replace("${", "").replace('}', "")
}

fn compare(pattern: &Value, actual: &Value, at: &str, found: &mut Vec<String>) {
    match pattern {
        Value::String(text) if text.starts_with('$') => special(text, actual, at, found),
        Value::Object(entries) if entries.keys().any(|key| key.starts_with('$')) => {
            for (operator, argument) in entries {
                operate(operator, argument, actual, at, found);
            }
        }
        Value::Object(entries) => compare_objects(entries, actual, at, found),
        Value::Array(items) => compare_lists(items, actual, at, found),
        _ if pattern == actual => {}
        _ => found.push(format!("{}is {actual}, not {pattern}", place(at))),
    }
}

fn place(at: &str) -> String {
    if at.is_empty() {
        "the value ".to_owned()
    } else {
        format!("{at} ")
    }
}

fn special(text: &str, actual: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(expression) = text.strip_prefix("$re:") {
        let matches = actual
            .as_str()
            .is_some_and(|actual| Regex::new(expression).is_ok_and(|regex| regex.is_match(actual)));
        if !matches {
            found.push(format!(
                "{}is {actual}, which does not match {expression}",
                place(at)
            ));
        }
        return;
    }
    let name = text.trim_end_matches('?');
    if !(has_type(name, actual) || text.ends_with('?') && actual.is_null()) {
        found.push(format!("{}is {actual}, not {text}", place(at)));
    }
}

fn has_type(name: &str, actual: &Value) -> bool {
    const YEAR_2000_MS: i64 = 946_684_800_000;
    match name {
        "$any" => true,
        "$string" => actual.is_string(),
        "$int" => actual.is_i64() || actual.is_u64(),
        "$number" => actual.is_number(),
        "$double" => actual.is_f64(),
        "$bool" => actual.is_boolean(),
        "$list" => actual.is_array(),
        "$object" => actual.is_object(),
        "$time" => actual.as_i64().is_some_and(|time| time > YEAR_2000_MS),
        _ => false,
    }
}

fn compare_objects(
    entries: &Map<String, Value>,
    actual: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    let Some(object) = actual.as_object() else {
        found.push(format!("{}is {actual}, not an object", place(at)));
        return;
    };
    let (expected, keys): (Vec<&String>, Vec<&String>) =
        (entries.keys().collect(), object.keys().collect());
    if expected != keys {
        found.push(format!(
            "{}has the keys {keys:?}, not {expected:?}",
            place(at)
        ));
    }
    for (key, pattern) in entries {
        if let Some(value) = object.get(key) {
            compare(pattern, value, &format!("{at}/{key}"), found);
        }
    }
}

fn compare_lists(items: &[Value], actual: &Value, at: &str, found: &mut Vec<String>) {
    let Some(list) = actual.as_array() else {
        found.push(format!("{}is {actual}, not a list", place(at)));
        return;
    };
    if items.len() != list.len() {
        found.push(format!(
            "{}has {} items, not {}",
            place(at),
            list.len(),
            items.len()
        ));
    }
    for (index, (pattern, value)) in items.iter().zip(list).enumerate() {
        compare(pattern, value, &format!("{at}/{index}"), found);
    }
}

fn operate(operator: &str, argument: &Value, actual: &Value, at: &str, found: &mut Vec<String>) {
    let matches = |pattern: &Value, value: &Value| differences(pattern, value).is_empty();
    match (operator, argument, actual) {
        ("$has", Value::Object(entries), Value::Object(object)) => {
            for (key, pattern) in entries {
                match object.get(key) {
                    Some(value) => compare(pattern, value, &format!("{at}/{key}"), found),
                    None => found.push(format!("{at}/{key} is missing")),
                }
            }
        }
        ("$has", Value::Array(patterns), Value::Array(list)) => {
            for pattern in patterns {
                if !list.iter().any(|value| matches(pattern, value)) {
                    found.push(format!("{}has nothing like {pattern}", place(at)));
                }
            }
        }
        ("$each", pattern, Value::Array(list)) => {
            for (index, value) in list.iter().enumerate() {
                compare(pattern, value, &format!("{at}/{index}"), found);
            }
        }
        ("$each", pattern, Value::Object(object)) => {
            for (key, value) in object {
                compare(pattern, value, &format!("{at}/{key}"), found);
            }
        }
        ("$starts", Value::Array(patterns), Value::Array(list)) => {
            let start = &list[..patterns.len().min(list.len())];
            compare_lists(patterns, &Value::from(start), at, found);
        }
        ("$length", length, Value::Array(list)) => {
            if length.as_u64() != u64::try_from(list.len()).ok() {
                found.push(format!(
                    "{}has {} items, not {length}",
                    place(at),
                    list.len()
                ));
            }
        }
        ("$one_of", Value::Array(patterns), actual) => {
            if !patterns.iter().any(|pattern| matches(pattern, actual)) {
                found.push(format!("{}is {actual}, none of {argument}", place(at)));
            }
        }
        ("$not", pattern, actual) => {
            if matches(pattern, actual) {
                found.push(format!("{}is {actual}, which must not be", place(at)));
            }
        }
        _ => found.push(format!(
            "{}is {actual}, not {{{operator}: {argument}}}",
            place(at)
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_match_or_say_where_they_do_not() {
        for (pattern, actual, expected) in [
            (json!(1), json!(1), &[][..]),
            (json!(1), json!(1.0), &["the value is 1.0, not 1"]),
            (json!("$double"), json!(1.0), &[]),
            (json!("$double"), json!(1), &["the value is 1, not $double"]),
            (json!("$string?"), json!(null), &[]),
            (
                json!("$string"),
                json!(null),
                &["the value is null, not $string"],
            ),
            (json!("$re:^a+$"), json!("aa"), &[]),
            (json!("$time"), json!(1_795_247_535_634_i64), &[]),
            (
                json!({"a": {"b": "$int"}}),
                json!({"a": {"b": "x"}}),
                &["/a/b is \"x\", not $int"],
            ),
            (
                json!({"a": 1, "b": 2}),
                json!({"b": 2, "a": 1}),
                &["the value has the keys [\"b\", \"a\"], not [\"a\", \"b\"]"],
            ),
            (json!({"$has": {"a": 1}}), json!({"b": 2, "a": 1}), &[]),
            (json!({"$has": {"a": 1}}), json!({}), &["/a is missing"]),
            (
                json!({"$each": "$string"}),
                json!(["a", 1]),
                &["/1 is 1, not $string"],
            ),
            (json!({"$each": "$int"}), json!({"a": 1}), &[]),
            (json!({"$has": [2], "$length": 2}), json!([1, 2]), &[]),
            (
                json!({"$starts": [1, 3]}),
                json!([1, 2, 3]),
                &["/1 is 2, not 3"],
            ),
            (
                json!({"$starts": [1]}),
                json!([]),
                &["the value has 0 items, not 1"],
            ),
            (json!({"$one_of": ["a", "$int"]}), json!(5), &[]),
            (
                json!({"$not": "a"}),
                json!("a"),
                &["the value is \"a\", which must not be"],
            ),
            (json!([1]), json!([1, 2]), &["the value has 2 items, not 1"]),
            (
                json!({"$length": 1}),
                json!("a"),
                &["the value is \"a\", not {$length: 1}"],
            ),
        ] {
            assert_eq!(
                differences(&pattern, &actual),
                expected,
                "{pattern} {actual}"
            );
        }
        assert_eq!(text_difference("", ""), None);
        assert!(text_difference("a", "b").is_some());
    }

    #[test]
    fn patterns_with_slips_are_found() {
        assert_eq!(
            mistakes(
                &json!({"a": ["$strnig", "$re:("], "$hs": 1, "b": "${id}", "c": "$re:${id}$"})
            ),
            [
                "$strnig is no pattern",
                "$re:( is no pattern",
                "$hs is no pattern"
            ]
        );
    }
}
