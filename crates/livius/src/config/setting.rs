//! A setting: its key, the form of its value, its default and its type.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use camino::Utf8PathBuf;

use livius_domain::duration::FOREVER;

use super::process_environment::ProcessEnvironment;
use super::value::{Shape, Value};

/// The facts about a key that do not depend on the type of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Section and name, with a dot between.
    pub path: &'static str,
    /// The form of its value.
    pub shape: Shape,
    /// Its default.
    pub default: Preset,
    /// An environment variable of other programs that is read when nothing else sets the key.
    pub fallback: Option<&'static str>,
    /// One or two sentences for the documentation.
    pub about: &'static str,
}

impl Key {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!(
            "LIVIUS_{}",
            self.path.replace('.', "_").to_ascii_uppercase()
        )
    }
}

/// The default of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// There is none.
    Unset,
    /// The data directory of the user, which depends on the environment.
    UserDataDir,
    /// A text or a word.
    Text(&'static str),
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
    /// A list without entries.
    Empty,
}

impl Preset {
    /// The value of the lowest layer.
    pub fn value(self, environment: &ProcessEnvironment) -> Value {
        match self {
            Self::UserDataDir => environment
                .default_data_dir()
                .map_or(Value::Unset, Value::Path),
            other => other.constant(),
        }
    }

    /// The value, as far as it does not depend on the environment.
    pub fn constant(self) -> Value {
        match self {
            Self::Unset | Self::UserDataDir => Value::Unset,
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::Address(address) => Value::Address(address),
            Self::Duration(duration) => Value::Duration(duration),
            Self::Number(number) => Value::Number(number),
            Self::Size(bytes) => Value::Size(bytes),
            Self::Switch(on) => Value::Switch(on),
            Self::Empty => Value::List(Vec::new()),
        }
    }
}

/// The type of a text that has a default.
pub type Text = Cow<'static, str>;

/// The type of a table. Its entries are values of their own: see `Resolved::table`.
#[derive(Debug, Clone, Copy)]
pub struct Table;

/// A key with the type of its value.
///
/// The constructors below choose shape, default and type together, so reading a setting cannot
/// meet a value of another type.
#[derive(Debug)]
pub struct Setting<T: 'static> {
    /// The key.
    pub key: Key,
    /// The default, typed.
    pub default: T,
    /// Takes the value out of a layer's value.
    pub take: fn(&Value) -> Option<T>,
}

const fn key(path: &'static str, shape: Shape, default: Preset, about: &'static str) -> Key {
    Key {
        path,
        shape,
        default,
        fallback: None,
        about,
    }
}

const fn optional(key: Key) -> Setting<Option<String>> {
    Setting {
        key,
        default: None,
        take: |value| match value {
            Value::Text(text) => Some(Some(text.clone())),
            _ => None,
        },
    }
}

const fn optional_path(key: Key) -> Setting<Option<Utf8PathBuf>> {
    Setting {
        key,
        default: None,
        take: |value| match value {
            Value::Path(path) => Some(Some(path.clone())),
            _ => None,
        },
    }
}

/// A text with a default.
pub const fn text(path: &'static str, default: &'static str, about: &'static str) -> Setting<Text> {
    Setting {
        key: key(path, Shape::Text, Preset::Text(default), about),
        default: Cow::Borrowed(default),
        take: take_text,
    }
}

/// A text without a default.
pub const fn optional_text(path: &'static str, about: &'static str) -> Setting<Option<String>> {
    optional(key(path, Shape::Text, Preset::Unset, about))
}

/// One of several words, with a default.
pub const fn choice(
    path: &'static str,
    words: &'static [&'static str],
    default: &'static str,
    about: &'static str,
) -> Setting<Text> {
    Setting {
        key: key(path, Shape::Choice(words), Preset::Text(default), about),
        default: Cow::Borrowed(default),
        take: take_text,
    }
}

/// One of several words, without a default.
pub const fn optional_choice(
    path: &'static str,
    words: &'static [&'static str],
    about: &'static str,
) -> Setting<Option<String>> {
    optional(key(path, Shape::Choice(words), Preset::Unset, about))
}

/// A path that a variable of other programs may set, such as `SPARK_HOME`.
pub const fn path(
    path: &'static str,
    fallback: &'static str,
    about: &'static str,
) -> Setting<Option<Utf8PathBuf>> {
    let mut key = key(path, Shape::Path, Preset::Unset, about);
    key.fallback = Some(fallback);
    optional_path(key)
}

/// The path of the data directory.
pub const fn data_dir(path: &'static str, about: &'static str) -> Setting<Option<Utf8PathBuf>> {
    optional_path(key(path, Shape::Path, Preset::UserDataDir, about))
}

/// The path of another directory.
pub const fn optional_dir(path: &'static str, about: &'static str) -> Setting<Option<Utf8PathBuf>> {
    optional_path(key(path, Shape::Path, Preset::Unset, about))
}

/// The path of a file.
pub const fn optional_file(
    path: &'static str,
    about: &'static str,
) -> Setting<Option<Utf8PathBuf>> {
    optional_path(key(path, Shape::Path, Preset::Unset, about))
}

/// An address and a port.
pub const fn address(
    path: &'static str,
    default: SocketAddr,
    about: &'static str,
) -> Setting<SocketAddr> {
    Setting {
        key: key(path, Shape::Address, Preset::Address(default), about),
        default,
        take: |value| match value {
            Value::Address(address) => Some(*address),
            _ => None,
        },
    }
}

/// A duration.
pub const fn duration(
    path: &'static str,
    default: Duration,
    about: &'static str,
) -> Setting<Duration> {
    let preset = Preset::Duration(Some(default));
    Setting {
        key: key(path, Shape::Duration, preset, about),
        default,
        take: |value| match value {
            Value::Duration(duration) => *duration,
            _ => None,
        },
    }
}

/// A duration, or `never`.
pub const fn duration_or_never(
    path: &'static str,
    default: Option<Duration>,
    about: &'static str,
) -> Setting<Option<Duration>> {
    let preset = Preset::Duration(default);
    Setting {
        key: key(path, Shape::DurationOrNever, preset, about),
        default,
        take: |value| match value {
            Value::Duration(duration) => Some(*duration),
            _ => None,
        },
    }
}

/// A duration, or `never`, which is longer than the calendar.
pub const fn duration_or_forever(
    path: &'static str,
    default: Duration,
    about: &'static str,
) -> Setting<Duration> {
    let preset = Preset::Duration(Some(default));
    Setting {
        key: key(path, Shape::DurationOrNever, preset, about),
        default,
        take: |value| match value {
            Value::Duration(duration) => Some(duration.unwrap_or(FOREVER)),
            _ => None,
        },
    }
}

/// A number of bytes.
pub const fn size(path: &'static str, default: u64, about: &'static str) -> Setting<u64> {
    Setting {
        key: key(path, Shape::Size, Preset::Size(default), about),
        default,
        take: take_number,
    }
}

/// A whole number with a minimum.
pub const fn count(
    path: &'static str,
    least: u64,
    default: u64,
    about: &'static str,
) -> Setting<u64> {
    Setting {
        key: key(path, Shape::Count(least), Preset::Number(default), about),
        default,
        take: take_number,
    }
}

/// A whole number with a minimum and a maximum.
pub const fn within(
    path: &'static str,
    (least, most): (u64, u64),
    default: u64,
    about: &'static str,
) -> Setting<u64> {
    let shape = Shape::Within(least, most);
    Setting {
        key: key(path, shape, Preset::Number(default), about),
        default,
        take: take_number,
    }
}

/// Yes or no.
pub const fn switch(path: &'static str, default: bool, about: &'static str) -> Setting<bool> {
    Setting {
        key: key(path, Shape::Switch, Preset::Switch(default), about),
        default,
        take: |value| match value {
            Value::Switch(on) => Some(*on),
            _ => None,
        },
    }
}

/// A list that is empty by default.
pub const fn list(path: &'static str, about: &'static str) -> Setting<Vec<String>> {
    Setting {
        key: key(path, Shape::List, Preset::Empty, about),
        default: Vec::new(),
        take: |value| match value {
            Value::List(texts) => Some(texts.clone()),
            _ => None,
        },
    }
}

/// A list of paths without a default.
pub const fn optional_paths(
    path: &'static str,
    about: &'static str,
) -> Setting<Option<Vec<String>>> {
    Setting {
        key: key(path, Shape::Paths, Preset::Unset, about),
        default: None,
        take: |value| match value {
            Value::List(texts) => Some(Some(texts.clone())),
            _ => None,
        },
    }
}

/// A table of names and texts.
pub const fn table(path: &'static str, about: &'static str) -> Setting<Table> {
    Setting {
        key: key(path, Shape::Table, Preset::Unset, about),
        default: Table,
        take: |_| None,
    }
}

fn take_text(value: &Value) -> Option<Text> {
    match value {
        Value::Text(text) => Some(text.clone().into()),
        _ => None,
    }
}

fn take_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) | Value::Size(number) => Some(*number),
        _ => None,
    }
}
