//! Values, one layer over the other.

use std::collections::BTreeMap;

use super::problem::unknown_key;
use super::process_environment::ProcessEnvironment;
use super::resolved::{Origin, Resolved, Sourced};
use super::sections;
use super::setting::Key;
use super::value::{Base, Raw, Shape, Value};

/// The layers while the server reads them. Each entry of a table is a value with its own origin.
#[derive(Debug, Default)]
pub struct Layers {
    values: BTreeMap<String, Sourced>,
    problems: Vec<String>,
    notes: Vec<String>,
}

impl Layers {
    /// The lowest layer.
    pub fn with_defaults(environment: &ProcessEnvironment) -> Self {
        let mut layers = Self::default();
        for key in sections::all().filter(|key| key.shape != Shape::Table) {
            let sourced = Sourced {
                value: key.default.value(environment),
                origin: Origin::Default,
            };
            layers.values.insert(key.path.to_owned(), sourced);
        }
        layers
    }

    /// Sets the key with this path, or records that there is none.
    pub fn set_named(&mut self, path: &str, raw: &Raw, origin: Origin, base: Base<'_>) {
        match sections::find(path) {
            Some(key) => self.set(key, raw, origin, base),
            None => self.problem(&origin, &unknown_key(path)),
        }
    }

    /// Sets a key, or records why the value is refused.
    pub fn set(&mut self, key: &Key, raw: &Raw, origin: Origin, base: Base<'_>) {
        if key.shape == Shape::Table {
            self.set_table(key, raw, &origin);
            return;
        }
        match key.shape.read(raw, base) {
            Ok(value) => {
                self.values
                    .insert(key.path.to_owned(), Sourced { value, origin });
            }
            Err(message) => self.problem(&origin, &format!("{}: {message}", key.path)),
        }
    }

    /// Sets one entry of a table.
    pub fn set_entry(&mut self, table: &Key, name: &str, text: &str, origin: Origin) {
        let value = Value::Text(text.to_owned());
        self.values
            .insert(format!("{}.{name}", table.path), Sourced { value, origin });
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
                    self.set_entry(key, name.trim(), text.trim(), origin.clone());
                }
                _ => self.problem(origin, &format!("{}: {pair:?} is not name=text", key.path)),
            }
        }
    }

    /// Records a problem.
    pub fn problem(&mut self, origin: &Origin, sentence: &str) {
        self.problems.push(format!("{origin}: {sentence}"));
    }

    /// Records a problem that has no origin.
    pub fn general_problem(&mut self, sentence: String) {
        self.problems.push(sentence);
    }

    /// Records a remark for the operator that does not keep the server from starting.
    pub fn note(&mut self, origin: &Origin, sentence: &str) {
        self.notes.push(format!("{origin}: {sentence}"));
    }

    /// The values, and the problems that reading them met.
    pub fn finish(self) -> (Resolved, Vec<String>) {
        (Resolved::new(self.values, self.notes), self.problems)
    }
}
