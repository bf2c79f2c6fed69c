//! `${name}` in scenarios: values of the row, and values kept from earlier responses.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values by name.
pub type Variables = BTreeMap<String, Value>;

/// Replaces the known variables of a text.
pub fn filled_text(text: &str, variables: &Variables) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}').map(|end| start + end) else {
            break;
        };
        filled.push_str(&rest[..start]);
        match variables.get(&rest[start + 2..end]) {
            Some(Value::String(value)) => filled.push_str(value),
            Some(value) => filled.push_str(&value.to_string()),
            None => filled.push_str(&rest[start..=end]),
        }
        rest = &rest[end + 1..];
    }
    filled.push_str(rest);
    filled
}

/// Replaces the known variables of a value. A string that is a single variable becomes the
/// variable's value, of any type.
pub fn filled(value: &Value, variables: &Variables) -> Value {
    match value {
        Value::String(text) => {
            let whole = text
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'))
                .and_then(|name| variables.get(name));
            whole
                .cloned()
                .unwrap_or_else(|| Value::from(filled_text(text, variables)))
        }
        Value::Array(items) => items.iter().map(|item| filled(item, variables)).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (filled_text(key, variables), filled(value, variables)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_variables_are_put_in() {
        let variables =
            Variables::from([("id".to_owned(), json!(5)), ("n".to_owned(), json!("x"))]);
        assert_eq!(
            filled(
                &json!({"a": "${id}", "b": ["/s/${id}/${n}", "${other}"], "${n}": 1, "c": "$${"}),
                &variables
            ),
            json!({"a": 5, "b": ["/s/5/x", "${other}"], "x": 1, "c": "$${"})
        );
    }
}
