//! Reads the value of a field, with Jackson's coercions and some more.

use std::collections::BTreeMap;
use std::fmt;

use livius_domain::Kind;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::RequestError;
use crate::error::shown;
use crate::json::{ReadOptions, Shape};

/// A field whose value is not parsed yet.
pub(crate) struct Field<'a, const N: usize> {
    pub(crate) shape: &'a Shape<N>,
    pub(crate) name: &'static str,
    pub(crate) raw: &'a RawValue,
}

/// The type of a value, as its first character shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Text,
    List,
    Object,
    Boolean,
    Null,
    Number,
}

impl Token {
    fn of(raw: &RawValue) -> Self {
        match raw.get().as_bytes().first() {
            Some(b'"') => Self::Text,
            Some(b'[') => Self::List,
            Some(b'{') => Self::Object,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }

    fn described(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Boolean => "a boolean",
            Self::Null => "null",
            Self::Number => "a number",
        }
    }
}

impl<'a, const N: usize> Field<'a, N> {
    /// Returns the fields of an object, in the order of the shape.
    pub(crate) fn all(
        shape: &'a Shape<N>,
        text: &'a str,
        options: ReadOptions,
    ) -> Result<impl Iterator<Item = Self>, RequestError> {
        let values = shape.read(text, options)?;
        let present = shape.names.into_iter().zip(values);
        Ok(present.filter_map(move |(name, raw)| raw.map(|raw| Self { shape, name, raw })))
    }

    pub(crate) fn wrong(&self, message: &str) -> RequestError {
        self.shape.wrong(self.name, message)
    }

    pub(crate) fn is_null(&self) -> bool {
        Token::of(self.raw) == Token::Null
    }

    pub(crate) fn is_text(&self) -> bool {
        Token::of(self.raw) == Token::Text
    }

    /// Reads a string; of a number or a boolean its text.
    pub(crate) fn text(&self) -> Result<String, RequestError> {
        scalar(self.raw)
            .map_err(|problem| self.wrong(&format!("{} must be a string: {problem}", self.name)))
    }

    /// Reads a kind or one of its aliases; `kinds` lists the kinds that are allowed here.
    pub(crate) fn kind(&self, kinds: &str) -> Result<Kind, RequestError> {
        let text = self.text()?;
        Kind::parse(&text).ok_or_else(|| {
            RequestError::Json(format!(
                "Invalid kind: {} {}; the kinds are {kinds}",
                shown(&text),
                self.shape.chain(self.name)
            ))
        })
    }

    /// Reads a list of strings, without empty ones. A bare string is a list separated by commas.
    pub(crate) fn list(&self, most: usize) -> Result<Vec<String>, RequestError> {
        match Token::of(self.raw) {
            Token::Null => Ok(Vec::new()),
            Token::Object => Err(self.wrong(&format!(
                "{} must be a list of strings, not an object",
                self.name
            ))),
            Token::List => {
                let mut items = self.items(most)?;
                items.retain(|item| !item.is_empty());
                Ok(items)
            }
            Token::Text | Token::Boolean | Token::Number => {
                let items: Vec<String> = self
                    .text()?
                    .split(',')
                    .map(str::trim)
                    .map(str::to_owned)
                    .collect();
                let items: Vec<String> =
                    items.into_iter().filter(|item| !item.is_empty()).collect();
                if items.len() > most {
                    return Err(self.wrong(&format!("{}: more than {most} items", self.name)));
                }
                Ok(items)
            }
        }
    }

    /// Reads a list of strings, each unchanged.
    pub(crate) fn texts(&self, most: usize) -> Result<Vec<String>, RequestError> {
        match Token::of(self.raw) {
            Token::Null => Ok(Vec::new()),
            Token::List => self.items(most),
            other => Err(self.wrong(&format!(
                "{name} must be a list of strings, not {found}; write for example \"{name}\": [\"one\", \"and two\"]",
                name = self.name,
                found = other.described(),
            ))),
        }
    }

    fn items(&self, most: usize) -> Result<Vec<String>, RequestError> {
        ListSeed(most)
            .deserialize(&mut serde_json::Deserializer::from_str(self.raw.get()))
            .map_err(|error| self.wrong(&format!("{}: {}", self.name, plain(&error))))
    }

    /// Reads a map of strings to strings. Numbers and booleans become text; null entries are
    /// dropped.
    pub(crate) fn map(&self, most: usize) -> Result<BTreeMap<String, String>, RequestError> {
        match Token::of(self.raw) {
            Token::Null => Ok(BTreeMap::new()),
            Token::Object => {
                let map = MapSeed(most)
                    .deserialize(&mut serde_json::Deserializer::from_str(self.raw.get()));
                map.map_err(|error| self.wrong(&format!("{}: {}", self.name, plain(&error))))
            }
            other => {
                let found = other.described();
                Err(self.wrong(&format!(
                    "{} must be an object of strings, not {found}",
                    self.name
                )))
            }
        }
    }

    /// Reads a count. 0 means none, because Livy shows an absent count as 0.
    pub(crate) fn count(&self) -> Result<Option<u32>, RequestError> {
        let Some(number) = self.number()? else {
            return Ok(None);
        };
        if number.fract() != 0.0 || number < 0.0 || number > f64::from(i32::MAX) {
            return Err(self.not_a_count());
        }
        Ok(Some(truncated(number)).filter(|count| *count > 0))
    }

    /// Reads a whole number. A fraction is cut off, and a negative number becomes 0.
    pub(crate) fn clipped(&self) -> Result<u32, RequestError> {
        let number = self.number()?.unwrap_or(0.0);
        if number > f64::from(i32::MAX) {
            return Err(self.not_a_count());
        }
        Ok(truncated(number.max(0.0)))
    }

    fn number(&self) -> Result<Option<f64>, RequestError> {
        let text = match Token::of(self.raw) {
            Token::Null => return Ok(None),
            Token::Number => self.raw.get().to_owned(),
            Token::Text => self.text()?,
            Token::Boolean | Token::List | Token::Object => return Err(self.not_a_count()),
        };
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let number: f64 = text.parse().map_err(|_| self.not_a_count())?;
        if number.is_nan() {
            Err(self.not_a_count())
        } else {
            Ok(Some(number))
        }
    }

    fn not_a_count(&self) -> RequestError {
        self.wrong(&format!(
            "{name} must be a whole number from 0 to {most}, not {found}; write for example \"{name}\": 2",
            name = self.name,
            most = i32::MAX,
            found = shown(self.raw.get()),
        ))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the callers have checked the range"
)]
fn truncated(number: f64) -> u32 {
    number as u32
}

fn scalar(raw: &RawValue) -> Result<String, String> {
    match Token::of(raw) {
        Token::Text => serde_json::from_str(raw.get()).map_err(|error| {
            format!(
                "{}; write text outside the basic plane in UTF-8 or as a pair",
                plain(&error)
            )
        }),
        Token::Number | Token::Boolean => Ok(raw.get().to_owned()),
        other => Err(format!("found {}", other.described())),
    }
}

/// Returns a message without its position, which would count within the field.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

struct ListSeed(usize);

impl<'de> DeserializeSeed<'de> for ListSeed {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListSeed {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(raw) = sequence.next_element::<&RawValue>()? {
            let index = items.len();
            if index == self.0 {
                return Err(A::Error::custom(format_args!("more than {} items", self.0)));
            }
            items.push(scalar(raw).map_err(|problem| {
                A::Error::custom(format_args!("item {index} must be a string: {problem}"))
            })?);
        }
        Ok(items)
    }
}

struct MapSeed(usize);

impl<'de> DeserializeSeed<'de> for MapSeed {
    type Value = BTreeMap<String, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MapSeed {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = access.next_key::<String>()? {
            let raw = access.next_value::<&RawValue>()?;
            if Token::of(raw) == Token::Null {
                map.remove(&key);
                continue;
            }
            let value = scalar(raw).map_err(|problem| {
                A::Error::custom(format_args!(
                    "the value of \"{}\" must be a string: {problem}",
                    shown(&key)
                ))
            })?;
            map.insert(key, value);
            if map.len() > self.0 {
                return Err(A::Error::custom(format_args!(
                    "more than {} entries",
                    self.0
                )));
            }
        }
        Ok(map)
    }
}
