//! Builds the request of a step.

use std::io::Write as _;

use serde_json::Value;

use crate::exchange::Request;
use crate::step::{Packing, Step};
use crate::variables::{Variables, filled, filled_text};

/// The request of a step, with its variables replaced.
pub fn request(step: &Step, variables: &Variables) -> Request {
    let text = |text: &str| filled_text(text, variables);
    let (method, target) = step.send.split_once(' ').unwrap_or((&step.send, ""));
    let mut headers: Vec<(String, String)> = step
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    let mut body = text(step.body.as_deref().unwrap_or_default()).into_bytes();
    if let Some(json) = &step.json {
        body = encoded(filled(json, variables)).to_string().into_bytes();
        if !has(&headers, "content-type") {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
    }
    if let Some(packing) = step.packing {
        body = packed(packing, &body);
    }
    if let Some(bytes) = step.padding {
        headers.push(("X-Padding".to_owned(), "x".repeat(bytes)));
    }
    Request {
        method: method.to_owned(),
        target: text(target),
        headers,
        body,
        framing: step.framing,
        await_continue: step.await_continue,
    }
}

/// Replaces values that begin with this word by the base64 of the rest.
fn encoded(value: Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("$base64:") {
            Some(plain) => Value::from(base64(plain.as_bytes())),
            None => Value::String(text),
        },
        Value::Object(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (key, encoded(value)));
            Value::Object(entries.collect())
        }
        other => other,
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, index| {
            number << 8 | usize::from(group.get(index).copied().unwrap_or_default())
        });
        for index in 0..4 {
            let letter = char::from(LETTERS[number >> (18 - 6 * index) & 63]);
            text.push(if index > group.len() { '=' } else { letter });
        }
    }
    text
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    headers
        .iter()
        .any(|(other, _)| other.eq_ignore_ascii_case(name))
}

fn packed(packing: Packing, body: &[u8]) -> Vec<u8> {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    let done = match packing {
        Packing::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body).and_then(|()| encoder.finish())
        }
        Packing::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body).and_then(|()| encoder.finish())
        }
    };
    done.expect("a Vec takes everything")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn marked_texts_are_encoded() {
        for (plain, text) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj")] {
            assert_eq!(base64(plain.as_bytes()), text);
        }
        assert_eq!(
            encoded(json!({"a": "$base64:\u{3bb}\n?", "b": ["$base64:"]})),
            json!({"a": "zrsKPw==", "b": ["$base64:"]})
        );
    }
}
