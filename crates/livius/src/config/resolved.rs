//! The configuration after every layer: values with their origins.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;

use super::setting::{Key, Setting, Table};
use super::value::Value;

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nothing set it.
    Default,
    /// A file, and the line in it.
    File(Utf8PathBuf, usize),
    /// One of Livy's files.
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

/// Every value by its path. The entries of a table are values of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    values: BTreeMap<String, Sourced>,
    notes: Vec<String>,
}

impl Resolved {
    /// Wraps the values, with the notes that the layers made.
    pub fn new(values: BTreeMap<String, Sourced>, notes: Vec<String>) -> Self {
        Self { values, notes }
    }

    /// Remarks for the operator that do not keep the server from starting.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Everything, by path.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &Sourced)> {
        self.values
            .iter()
            .map(|(path, sourced)| (path.as_str(), sourced))
    }

    /// The origin of a key's value.
    pub fn origin(&self, key: &Key) -> &Origin {
        self.origin_of(key.path)
    }

    /// The origin of the value with this path. Of a part of a table it is that of its first entry.
    pub fn origin_of(&self, path: &str) -> &Origin {
        let of_entries = || {
            let prefix = format!("{path}.");
            let mut entries = self.values.iter();
            let entry = entries.find(|(name, _)| name.starts_with(&prefix));
            entry.map(|(_, sourced)| sourced)
        };
        self.values
            .get(path)
            .or_else(of_entries)
            .map_or(&Origin::Default, |sourced| &sourced.origin)
    }

    /// Tells whether nothing set the key.
    pub fn is_default(&self, key: &Key) -> bool {
        *self.origin(key) == Origin::Default
    }

    /// A setting's value.
    pub fn value<T: Clone>(&self, setting: &Setting<T>) -> T {
        self.values
            .get(setting.key.path)
            .and_then(|sourced| (setting.take)(&sourced.value))
            .unwrap_or_else(|| setting.default.clone())
    }

    /// A number of things that are held in memory.
    pub fn count(&self, setting: &Setting<u64>) -> usize {
        usize::try_from(self.value(setting)).unwrap_or(usize::MAX)
    }

    /// A path that Livius's own configuration names. `SPARK_HOME` and `JAVA_HOME` do not count: the
    /// search for Spark reads them itself and reports them as the place of the finding.
    pub fn configured_path(&self, setting: &Setting<Option<Utf8PathBuf>>) -> Option<Utf8PathBuf> {
        let fallback = setting.key.fallback;
        let is_inherited = matches!(
            self.origin(&setting.key),
            Origin::Variable(name) if Some(name.as_str()) == fallback
        );
        if is_inherited {
            None
        } else {
            self.value(setting)
        }
    }

    /// The entries of a table.
    pub fn table(&self, table: &Setting<Table>) -> BTreeMap<String, String> {
        let prefix = format!("{}.", table.key.path);
        let entry = |(name, sourced): (&String, &Sourced)| {
            Some((
                name.strip_prefix(&prefix)?.to_owned(),
                sourced.value.to_string(),
            ))
        };
        self.values.iter().filter_map(entry).collect()
    }
}
