//! Reads the outer object of a body by Jackson's rules: the last of equal keys wins, text after the
//! object is ignored, an unknown key is refused.
//!
//! Each known key keeps a slice of the body and nothing else is built, so neither many keys nor
//! deep nesting cost memory or stack.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::RequestError;
use crate::error::shown;

/// The strictness with which requests are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// True if unknown keys are ignored instead of refused.
    pub ignore_unknown_fields: bool,
}

/// The keys that an object may have, Livy's name for its class, and an example.
pub(crate) struct Shape<const N: usize> {
    pub(crate) class: &'static str,
    pub(crate) example: &'static str,
    pub(crate) names: [&'static str; N],
}

/// Decodes a body: as UTF-8, or as ISO-8859-1 if it is not UTF-8 and the content type says so.
pub fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, RequestError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(error) => error,
    };
    if charset.is_some_and(is_latin1) {
        return Ok(Cow::Owned(bytes.iter().copied().map(char::from).collect()));
    }
    Err(RequestError::Json(format!(
        "Invalid UTF-8 at byte {}: send the body in UTF-8, or name its character set, as in \
         'Content-Type: application/json;charset=ISO-8859-1'",
        error.valid_up_to()
    )))
}

fn is_latin1(charset: &str) -> bool {
    ["iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1"]
        .iter()
        .any(|name| charset.eq_ignore_ascii_case(name))
}

/// Reads an integer of a path or a query. Refusals have Livy's words.
pub fn integer(text: &str) -> Result<i32, RequestError> {
    text.parse()
        .map_err(|_| RequestError::Refused(format!("For input string: \"{}\"", shown(text))))
}

impl<const N: usize> Shape<N> {
    /// Reads the object. Returns the text of each known key's value, in the order of `names`.
    pub(crate) fn read<'a>(
        &self,
        text: &'a str,
        options: ReadOptions,
    ) -> Result<[Option<&'a RawValue>; N], RequestError> {
        if text.trim_ascii().is_empty() {
            return Err(RequestError::Json(format!(
                "No content to map due to end-of-input (the request has no body; send a JSON object, such as {})",
                self.example
            )));
        }
        let mut unknown = None;
        let seed = ObjectSeed {
            shape: self,
            options,
            unknown: &mut unknown,
        };
        let outcome = seed.deserialize(&mut serde_json::Deserializer::from_str(text));
        outcome.map_err(|error| match unknown {
            Some(field) => self.unrecognized(&field),
            None => self.malformed(text, &error),
        })
    }

    /// Appends Livy's reference chain to a message about one field.
    pub(crate) fn wrong(&self, field: &str, message: &str) -> RequestError {
        RequestError::Json(format!("{message} {}", self.chain(field)))
    }

    pub(crate) fn chain(&self, field: &str) -> String {
        format!("(through reference chain: {}[\"{field}\"])", self.class)
    }

    fn unrecognized(&self, field: &str) -> RequestError {
        let known: Vec<String> = self
            .names
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        let field = shown(field);
        let mut message = format!(
            "Unrecognized field \"{field}\" (class {class}), not marked as ignorable ({N} known properties: {known}) \
             {chain}",
            class = self.class,
            chain = self.chain(&field),
            known = known.join(", "),
        );
        if let Some(name) = self.nearest(&field) {
            message.push_str("; did you mean \"");
            message.push_str(name);
            message.push_str("\"?");
        }
        RequestError::Json(message)
    }

    fn malformed(&self, text: &str, error: &serde_json::Error) -> RequestError {
        let hint = if !text.trim_ascii_start().starts_with('{') {
            format!("; the body must be a JSON object, such as {}", self.example)
        } else if at(text, error) == Some('\'') {
            "; JSON texts take double quotes, not single ones".to_owned()
        } else {
            String::new()
        };
        RequestError::Json(format!("Malformed JSON: {error}{hint}"))
    }

    fn nearest(&self, field: &str) -> Option<&'static str> {
        let plain = |text: &str| text.to_lowercase().replace(['_', '-', '.'], "");
        let wanted = plain(field);
        let scored = self.names.iter().map(|name| {
            (
                strsim::normalized_damerau_levenshtein(&plain(name), &wanted),
                *name,
            )
        });
        let (score, name) = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
        (score >= 0.6).then_some(name)
    }
}

fn at(text: &str, error: &serde_json::Error) -> Option<char> {
    let line = text.lines().nth(error.line().checked_sub(1)?)?;
    line.as_bytes()
        .get(error.column().checked_sub(1)?)
        .map(|byte| char::from(*byte))
}

struct ObjectSeed<'s, const N: usize> {
    shape: &'s Shape<N>,
    options: ReadOptions,
    unknown: &'s mut Option<String>,
}

impl<'de, const N: usize> DeserializeSeed<'de> for ObjectSeed<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for ObjectSeed<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [None; N];
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match self.shape.names.iter().position(|name| *name == key) {
                Some(index) => values[index] = Some(map.next_value()?),
                None if self.options.ignore_unknown_fields => {
                    map.next_value::<IgnoredAny>()?;
                }
                None => {
                    *self.unknown = Some(key.into_owned());
                    return Err(A::Error::custom("unknown field"));
                }
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape<2> = Shape {
        class: "org.example.Thing",
        example: r#"{"kind":1}"#,
        names: ["numExecutors", "kind"],
    };

    fn read(text: &str) -> Result<Vec<Option<&str>>, String> {
        let values = SHAPE
            .read(text, ReadOptions::default())
            .map_err(|error| error.to_string())?;
        Ok(values
            .iter()
            .map(|value| value.map(RawValue::get))
            .collect())
    }

    #[test]
    fn objects_are_read_as_jackson_reads_them() {
        for (text, expected) in [
            ("{}", [None, None]),
            (
                "  {\"kind\" : [1, 2] } trailing garbage",
                [None, Some("[1, 2]")],
            ),
            (
                "{\"kind\":1,\"numExecutors\":2,\"kind\":\"last\"}",
                [Some("2"), Some("\"last\"")],
            ),
            ("{\"\\u006bind\":null}", [None, Some("null")]),
        ] {
            assert_eq!(read(text), Ok(expected.to_vec()), "{text}");
        }
    }

    #[test]
    fn refusals_say_what_to_do() {
        for (text, expected) in [
            (
                "",
                "No content to map due to end-of-input (the request has no body; send a JSON object, such as {\"kind\":1})",
            ),
            (
                " \n",
                "No content to map due to end-of-input (the request has no body; send a JSON object, such as {\"kind\":1})",
            ),
            (
                "[]",
                "Malformed JSON: invalid type: sequence, expected an object at line 1 column 0; the body must be a JSON \
                 object, such as {\"kind\":1}",
            ),
            (
                "kind=spark",
                "Malformed JSON: expected value at line 1 column 1; the body must be a JSON object, such as \
                 {\"kind\":1}",
            ),
            (
                "{'kind':1}",
                "Malformed JSON: key must be a string at line 1 column 2; JSON texts take double quotes, not single ones",
            ),
            (
                "{\"kind\":\n 1",
                "Malformed JSON: EOF while parsing an object at line 2 column 2",
            ),
            (
                "{\"num_executors\":1}",
                "Unrecognized field \"num_executors\" (class org.example.Thing), not marked as ignorable (2 known \
                 properties: \"numExecutors\", \"kind\") (through reference chain: org.example.Thing[\"num_executors\"]); \
                 did you mean \"numExecutors\"?",
            ),
            (
                "{\"foo\":1}",
                "Unrecognized field \"foo\" (class org.example.Thing), not marked as ignorable (2 known properties: \
                 \"numExecutors\", \"kind\") (through reference chain: org.example.Thing[\"foo\"])",
            ),
        ] {
            assert_eq!(read(text), Err(expected.to_owned()), "{text}");
        }
        assert!(read("null").is_err());
    }

    #[test]
    fn a_lenient_reader_ignores_what_it_does_not_know_however_deep() {
        let options = ReadOptions {
            ignore_unknown_fields: true,
        };
        let deep = format!(
            "{{\"foo\":{}1{},\"kind\":1}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        let values = SHAPE.read(&deep, options).unwrap();
        assert_eq!(
            values.map(|value| value.map(RawValue::get)),
            [None, Some("1")]
        );
    }

    #[test]
    fn text_is_utf8_unless_it_cannot_be_and_says_so() {
        assert_eq!(decode(b"\xEF\xBB\xBF{}", None).unwrap(), "{}");
        assert_eq!(decode("é".as_bytes(), Some("ISO-8859-1")).unwrap(), "é");
        assert_eq!(decode(b"\xE9", Some("iso-8859-1")).unwrap(), "é");
        assert!(
            decode(b"ab\xE9", None)
                .unwrap_err()
                .to_string()
                .starts_with("Invalid UTF-8 at byte 2: ")
        );
    }

    #[test]
    fn integers_are_javas() {
        assert_eq!(integer("2147483647"), Ok(i32::MAX));
        assert_eq!(integer("-7"), Ok(-7));
        for bad in ["", "abc", "1.5", "99999999999", " 5"] {
            assert_eq!(
                integer(bad),
                Err(RequestError::Refused(format!(
                    "For input string: \"{bad}\""
                )))
            );
        }
    }
}
