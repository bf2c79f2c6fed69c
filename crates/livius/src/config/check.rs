//! Problems that no single value shows: combinations, and texts with a grammar of their own.

use super::resolved::Resolved;
use super::setting::{Key, Setting, Table};

/// The reason why a value is refused although its form is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key of the value.
    pub key: &'static Key,
    /// The entry, if the key is a table.
    pub entry: Option<String>,
    /// The problem, and what to do about it.
    pub sentence: String,
}

impl Problem {
    /// The problem, with the place that the value came from.
    pub fn told(&self, resolved: &Resolved) -> String {
        let path = match &self.entry {
            Some(entry) => format!("{}.{entry}", self.key.path),
            None => self.key.path.to_owned(),
        };
        let origin = resolved.origin_of(&path);
        format!("{origin}: {path}: {}", self.sentence)
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem with a setting.
    pub fn refuse<T>(&mut self, setting: &'static Setting<T>, sentence: impl Into<String>) {
        self.0.push(Problem {
            key: &setting.key,
            entry: None,
            sentence: sentence.into(),
        });
    }

    /// Adds a problem with an entry of a table.
    pub fn refuse_entry(
        &mut self,
        table: &'static Setting<Table>,
        entry: &str,
        sentence: impl Into<String>,
    ) {
        self.0.push(Problem {
            key: &table.key,
            entry: Some(entry.to_owned()),
            sentence: sentence.into(),
        });
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}
