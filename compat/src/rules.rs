//! The rules that scenarios test: requirements of the specification and of clients, each with an
//! id.

use std::path::Path;

use anyhow::bail;
use serde::Deserialize;

use crate::yaml;

/// A behaviour that clients rely on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A short, permanent name.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// The clients that rely on it, if known.
    pub clients: Option<String>,
    /// The reason why no scenario tests it.
    pub unpinned: Option<String>,
}

/// All rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    /// Reads them from a file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let rules: Self = yaml::read(path)?;
        let mut ids: Vec<&str> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
        ids.sort_unstable();
        let total = ids.len();
        ids.dedup();
        if ids.len() < total {
            bail!("{}: two rules have the same id", path.display());
        }
        Ok(rules)
    }

    /// A rule by its id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// All of them, in their order.
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }
}
