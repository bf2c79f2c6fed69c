//! The forms of a setting's value, and how each is read from text.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

/// The form of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any text.
    Text,
    /// A path. A relative path in a file starts from the file's directory, any other from the
    /// working directory.
    Path,
    /// `ADDRESS:PORT`.
    Address,
    /// A number with a unit, such as `10m`.
    Duration,
    /// A duration or `never`.
    DurationOrNever,
    /// A number of bytes, with or without a unit.
    Size,
    /// A whole number with this minimum.
    Count(u64),
    /// A whole number between these bounds, inclusive.
    Within(u64, u64),
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Texts. In the environment and on the command line they are separated by commas.
    List,
    /// Paths, written like texts.
    Paths,
    /// Names and texts. In the environment and on the command line they are written
    /// `name=text;name=text`.
    Table,
}

/// A value as it stands in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// One text, number or truth value.
    One(String),
    /// A TOML array.
    Many(Vec<String>),
    /// A TOML table, or a nested array.
    Nested,
}

/// A value that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing was set and there is no default.
    Unset,
    /// A text, a word or an entry of a table.
    Text(String),
    /// A path.
    Path(Utf8PathBuf),
    /// An address.
    Address(SocketAddr),
    /// A duration; `None` is `never`.
    Duration(Option<Duration>),
    /// A number of things.
    Number(u64),
    /// A number of bytes.
    Size(u64),
    /// Yes or no.
    Switch(bool),
    /// Texts.
    List(Vec<String>),
}

/// The start of relative paths, and the meaning of `~`.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The directory.
    pub directory: &'a Utf8Path,
    /// The home directory.
    pub home: Option<&'a Utf8Path>,
}

impl Base<'_> {
    /// Makes the path absolute.
    pub fn resolve(&self, text: &str) -> Utf8PathBuf {
        match (text.strip_prefix('~'), self.home) {
            (Some(""), Some(home)) => home.to_owned(),
            (Some(rest), Some(home)) if rest.starts_with('/') => {
                home.join(rest.trim_start_matches('/'))
            }
            _ => self.directory.join(text),
        }
    }
}

impl Shape {
    /// Reads a value. The error completes the sentence "the key: ".
    pub fn read(self, raw: &Raw, base: Base<'_>) -> Result<Value, String> {
        match (self, raw) {
            (Self::List, Raw::Many(texts)) => Ok(Value::List(texts.clone())),
            (Self::List, Raw::One(text)) => Ok(Value::List(split(text))),
            (Self::Paths, Raw::Many(texts)) => Ok(Value::List(resolve_all(texts, base))),
            (Self::Paths, Raw::One(text)) => Ok(Value::List(resolve_all(&split(text), base))),
            (_, Raw::One(text)) => self.read_one(text.trim(), base),
            (_, Raw::Many(_)) => Err(format!("a list where {} is needed", self.noun())),
            (_, Raw::Nested) => Err(format!("a table where {} is needed", self.noun())),
        }
    }

    fn read_one(self, text: &str, base: Base<'_>) -> Result<Value, String> {
        let refuse = || format!("{text:?} is not {}", self.noun());
        match self {
            Self::Text if text.is_empty() => Err("the text is empty".to_owned()),
            Self::Path if text.is_empty() => Err("the path is empty".to_owned()),
            Self::Text | Self::List | Self::Paths | Self::Table => Ok(Value::Text(text.to_owned())),
            Self::Path => Ok(Value::Path(base.resolve(text))),
            Self::Address => text.parse().map(Value::Address).map_err(|_| refuse()),
            Self::DurationOrNever if text == "never" => Ok(Value::Duration(None)),
            Self::Duration | Self::DurationOrNever => read_duration(text)
                .map(|read| Value::Duration(Some(read)))
                .ok_or_else(refuse),
            Self::Size => read_size(text).map(Value::Size).ok_or_else(refuse),
            Self::Count(least) => text
                .parse()
                .ok()
                .filter(|count| *count >= least)
                .map(Value::Number)
                .ok_or_else(refuse),
            Self::Within(least, most) => text
                .parse()
                .ok()
                .filter(|count| (least..=most).contains(count))
                .map(Value::Number)
                .ok_or_else(refuse),
            Self::Switch => text.parse().map(Value::Switch).map_err(|_| refuse()),
            Self::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
            Self::Choice(_) => Err(refuse()),
        }
    }

    /// A noun phrase for messages, with an example.
    pub fn noun(self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Address => {
                "an address and a port, such as 127.0.0.1:8998 or [::1]:8998".to_owned()
            }
            Self::Duration => {
                "a duration: a number and a unit, such as 500ms, 30s, 10m, 2h or 1d".to_owned()
            }
            Self::DurationOrNever => {
                "a duration: a number and a unit, such as 500ms, 30s, 10m, 2h or 1d; or never"
                    .to_owned()
            }
            Self::Size => "a size in bytes, such as 65536, 64k, 64m or 1g".to_owned(),
            Self::Count(least) => format!("a whole number of at least {least}"),
            Self::Within(least, most) => format!("a whole number from {least} to {most}"),
            Self::Switch => "true or false".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::List => "a list of texts".to_owned(),
            Self::Paths => "a list of paths".to_owned(),
            Self::Table => "a table of texts".to_owned(),
        }
    }

    /// Its name in the documentation.
    pub fn name(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Path => "path".to_owned(),
            Self::Address => "address:port".to_owned(),
            Self::Duration => "duration".to_owned(),
            Self::DurationOrNever => "duration or `never`".to_owned(),
            Self::Size => "size".to_owned(),
            Self::Count(least) => format!("number, {least} or more"),
            Self::Within(least, most) => format!("number, {least} to {most}"),
            Self::Switch => "`true` or `false`".to_owned(),
            Self::Choice(words) => words
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", "),
            Self::List => "list of texts".to_owned(),
            Self::Paths => "list of paths".to_owned(),
            Self::Table => "table".to_owned(),
        }
    }
}

fn split(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn resolve_all(texts: &[String], base: Base<'_>) -> Vec<String> {
    texts
        .iter()
        .map(|text| base.resolve(text.trim()).into_string())
        .collect()
}

/// Livy's syntax, but the unit is required. Livy reads a bare number as milliseconds, which
/// surprises most administrators.
fn read_duration(text: &str) -> Option<Duration> {
    text.ends_with(|last: char| last.is_ascii_alphabetic())
        .then(|| livius_domain::duration::parse(text).ok())?
}

fn read_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let shift = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("(unset)"),
            Self::Text(text) => f.write_str(text),
            Self::Path(path) => path.fmt(f),
            Self::Address(address) => address.fmt(f),
            Self::Duration(None) => f.write_str("never"),
            Self::Duration(Some(duration)) => f.write_str(&show_duration(*duration)),
            Self::Number(number) => number.fmt(f),
            Self::Size(bytes) => f.write_str(&show_size(*bytes)),
            Self::Switch(on) => on.fmt(f),
            Self::List(texts) => write!(f, "[{}]", texts.join(", ")),
        }
    }
}

/// Writes the value in the largest exact unit.
fn show_duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    let units = [
        (86_400_000_000, "d"),
        (3_600_000_000, "h"),
        (60_000_000, "m"),
        (1_000_000, "s"),
        (1_000, "ms"),
    ];
    match units
        .iter()
        .find(|(unit, _)| micros > 0 && micros.is_multiple_of(*unit))
    {
        Some((unit, suffix)) => format!("{}{suffix}", micros / unit),
        None if micros == 0 => "0s".to_owned(),
        None => format!("{micros}us"),
    }
}

/// Writes the value in the largest exact unit.
fn show_size(bytes: u64) -> String {
    let units = [(30, "g"), (20, "m"), (10, "k")];
    match units
        .iter()
        .find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift))
    {
        Some((shift, suffix)) => format!("{}{suffix}", bytes >> shift),
        None => bytes.to_string(),
    }
}

impl Value {
    /// The value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Unset => serde_json::Value::Null,
            Self::Number(number) | Self::Size(number) => (*number).into(),
            Self::Switch(on) => (*on).into(),
            Self::List(texts) => texts.clone().into(),
            other => other.to_string().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(shape: Shape, text: &str) -> Result<String, String> {
        let base = Base {
            directory: Utf8Path::new("/etc/livius"),
            home: Some(Utf8Path::new("/home/ada")),
        };
        shape
            .read(&Raw::One(text.to_owned()), base)
            .map(|value| value.to_string())
    }

    #[test]
    fn what_each_shape_takes() {
        const WORDS: Shape = Shape::Choice(&["stop", "keep"]);
        let good = [
            (Shape::Text, " yarn ", "yarn"),
            (Shape::Path, "spark", "/etc/livius/spark"),
            (Shape::Path, "/opt/spark", "/opt/spark"),
            (Shape::Path, "~/spark", "/home/ada/spark"),
            (Shape::Path, "~", "/home/ada"),
            (Shape::Path, "~other/spark", "/etc/livius/~other/spark"),
            (Shape::Address, "[::1]:0", "[::1]:0"),
            (Shape::Duration, "90s", "90s"),
            (Shape::Duration, "60 min", "1h"),
            (Shape::Duration, "0s", "0s"),
            (Shape::Duration, "5us", "5us"),
            (Shape::DurationOrNever, "never", "never"),
            (Shape::Size, "64m", "64m"),
            (Shape::Size, "2048 KiB", "2m"),
            (Shape::Size, "10", "10"),
            (Shape::Count(1), "7", "7"),
            (Shape::Within(1, 256), "256", "256"),
            (Shape::Switch, "true", "true"),
            (WORDS, "keep", "keep"),
            (Shape::List, "a, b,,c", "[a, b, c]"),
            (Shape::Paths, "jars,~/x", "[/etc/livius/jars, /home/ada/x]"),
        ];
        for (shape, text, shown) in good {
            assert_eq!(
                read(shape, text).as_deref(),
                Ok(shown),
                "{shape:?} {text:?}"
            );
        }
    }

    #[test]
    fn what_each_shape_refuses() {
        const WORDS: Shape = Shape::Choice(&["stop", "keep"]);
        let bad = [
            (Shape::Text, " ", "the text is empty"),
            (
                Shape::Address,
                "8998",
                "\"8998\" is not an address and a port, such as 127.0.0.1:8998 or [::1]:8998",
            ),
            (
                Shape::Duration,
                "10",
                "\"10\" is not a duration: a number and a unit, such as 500ms, 30s, 10m, 2h or 1d",
            ),
            (
                Shape::Duration,
                "never",
                "\"never\" is not a duration: a number and a unit, such as 500ms, 30s, 10m, 2h or 1d",
            ),
            (
                Shape::Size,
                "1.5g",
                "\"1.5g\" is not a size in bytes, such as 65536, 64k, 64m or 1g",
            ),
            (
                Shape::Size,
                "20000000000g",
                "\"20000000000g\" is not a size in bytes, such as 65536, 64k, 64m or 1g",
            ),
            (
                Shape::Count(1),
                "0",
                "\"0\" is not a whole number of at least 1",
            ),
            (
                Shape::Count(0),
                "-1",
                "\"-1\" is not a whole number of at least 0",
            ),
            (
                Shape::Within(1, 256),
                "257",
                "\"257\" is not a whole number from 1 to 256",
            ),
            (Shape::Switch, "yes", "\"yes\" is not true or false"),
            (WORDS, "Keep", "\"Keep\" is not one of stop, keep"),
        ];
        for (shape, text, message) in bad {
            assert_eq!(
                read(shape, text),
                Err(message.to_owned()),
                "{shape:?} {text:?}"
            );
        }
    }

    #[test]
    fn lists_and_tables_are_told_from_single_values() {
        let base = Base {
            directory: Utf8Path::new("/"),
            home: None,
        };
        let many = Raw::Many(vec!["a".to_owned(), "b,c".to_owned()]);
        assert_eq!(
            Shape::List.read(&many, base).map(|v| v.to_string()),
            Ok("[a, b,c]".to_owned())
        );
        assert_eq!(
            Shape::Switch.read(&many, base),
            Err("a list where true or false is needed".to_owned())
        );
        assert_eq!(
            Shape::Switch.read(&Raw::Nested, base),
            Err("a table where true or false is needed".to_owned())
        );
    }
}
