//! Values, one layer over the other.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;

use super::environment::Surroundings;
use super::keys::{self, Key};
use super::problem::{ConfigError, unknown_key};
use super::settings;
use super::value::{Base, Raw, Shape, Value};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file, and the line in it.
    File(Utf8PathBuf, usize),
    /// One of Livy's files, the line in it, and the keys there.
    Livy {
        /// The file.
        file: Utf8PathBuf,
        /// The line of the first key.
        line: usize,
        /// The keys, as they are spelled there.
        names: String,
    },
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{path}:{line}"),
            Self::Livy { file, line, names } => write!(f, "{file}:{line}: {names}"),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced {
    /// The value.
    pub value: Value,
    /// Its origin.
    pub origin: Origin,
}

/// The layers while they are read. Entries of a table are values of their own, so that each has its origin.
#[derive(Debug, Default)]
pub struct Layers {
    values: BTreeMap<String, Sourced>,
    problems: Vec<String>,
    notes: Vec<String>,
}

impl Layers {
    /// The weakest layer.
    pub fn with_defaults(surroundings: &Surroundings) -> Self {
        let mut layers = Self::default();
        for key in keys::all().filter(|key| key.shape != Shape::Table) {
            let default = match (key.path, key.default) {
                ("server.data_dir", _) => surroundings
                    .default_data_dir()
                    .map_or(Value::Unset, Value::Path),
                (_, None) => Value::Unset,
                (_, Some(text)) => {
                    let raw = Raw::One(text.to_owned());
                    key.shape
                        .read(&raw, surroundings.base())
                        .expect("a test reads every default")
                }
            };
            layers.values.insert(
                key.path.to_owned(),
                Sourced {
                    value: default,
                    origin: Origin::Default,
                },
            );
        }
        layers
    }

    /// Sets a value over what there is, or notes why it cannot be.
    pub fn set(&mut self, path: &str, raw: &Raw, origin: Origin, base: Base<'_>) {
        let Some(key) = keys::find(path) else {
            self.problem(&origin, &unknown_key(path));
            return;
        };
        if key.shape == Shape::Table {
            self.set_table(key, raw, &origin);
            return;
        }
        match key.shape.read(raw, base) {
            Ok(value) => {
                self.values
                    .insert(path.to_owned(), Sourced { value, origin });
            }
            Err(message) => self.problem(&origin, &format!("{path}: {message}")),
        }
    }

    /// Sets one entry of a table.
    pub fn set_entry(&mut self, table: &str, name: &str, text: &str, origin: Origin) {
        let value = Value::Text(text.to_owned());
        self.values
            .insert(format!("{table}.{name}"), Sourced { value, origin });
    }

    fn set_table(&mut self, key: &Key, raw: &Raw, origin: &Origin) {
        let Raw::One(text) = raw else {
            self.problem(
                origin,
                &format!("{}: a list where {} is needed", key.path, key.shape.noun()),
            );
            return;
        };
        for pair in text
            .split(';')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            match pair.split_once('=') {
                Some((name, text)) if !name.trim().is_empty() => {
                    self.set_entry(key.path, name.trim(), text.trim(), origin.clone());
                }
                _ => self.problem(origin, &format!("{}: {pair:?} is not name=text", key.path)),
            }
        }
    }

    /// Notes a problem.
    pub fn problem(&mut self, origin: &Origin, sentence: &str) {
        self.problems.push(format!("{origin}: {sentence}"));
    }

    /// Notes a problem that has no place among the origins.
    pub fn general_problem(&mut self, sentence: String) {
        self.problems.push(sentence);
    }

    /// Notes what its reader should know, and what keeps nothing from working.
    pub fn note(&mut self, origin: &Origin, sentence: &str) {
        self.notes.push(format!("{origin}: {sentence}"));
    }

    /// The whole as it is, right or wrong.
    pub fn unchecked(self) -> Resolved {
        Resolved {
            values: self.values,
            notes: self.notes,
        }
    }

    /// The whole, checked.
    pub fn finish(mut self) -> Result<Resolved, ConfigError> {
        let mut problems = std::mem::take(&mut self.problems);
        let resolved = self.unchecked();
        let told = |problem: settings::Problem| {
            let origin = &resolved.get(problem.key).origin;
            format!("{origin}: {}: {}", problem.key, problem.sentence)
        };
        problems.extend(settings::check(&resolved).into_iter().map(told));
        if problems.is_empty() {
            Ok(resolved)
        } else {
            Err(ConfigError { problems })
        }
    }
}

/// The configuration, every layer applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    values: BTreeMap<String, Sourced>,
    notes: Vec<String>,
}

impl Resolved {
    /// What its reader should know, and what keeps nothing from working.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Everything, by key.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &Sourced)> {
        self.values
            .iter()
            .map(|(path, sourced)| (path.as_str(), sourced))
    }

    /// A key's value and origin.
    pub fn get(&self, path: &str) -> &Sourced {
        self.values
            .get(path)
            .expect("only keys of the registry are asked for")
    }

    /// Whether nobody set it.
    pub fn is_default(&self, path: &str) -> bool {
        self.get(path).origin == Origin::Default
    }

    /// A table's entries.
    pub fn table(&self, path: &str) -> BTreeMap<String, String> {
        let prefix = format!("{path}.");
        let entry = |(name, sourced): (&String, &Sourced)| {
            Some((
                name.strip_prefix(&prefix)?.to_owned(),
                sourced.value.to_string(),
            ))
        };
        self.values.iter().filter_map(entry).collect()
    }
}
