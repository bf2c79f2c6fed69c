//! Reads all scenarios from their files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::rules::Rules;
use crate::scenario::{Scenario, Text};
use crate::step::{Step, steps};
use crate::variables::Variables;
use crate::yaml;

/// The scenarios with the rules that they test.
#[derive(Debug)]
pub struct Suite {
    /// In the order of their names.
    pub files: Vec<Group>,
    /// The rules.
    pub rules: Rules,
}

/// The scenarios of one file, with their common setup.
#[derive(Debug)]
pub struct Group {
    /// The name of the file without its extension.
    pub name: String,
    /// Runs once before the first scenario of the file.
    pub setup: Vec<Step>,
    /// In the file's order.
    pub scenarios: Vec<Scenario>,
    /// Runs once after the last scenario, even after a failure.
    pub cleanup: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    /// A description for readers of the file.
    #[serde(rename = "about")]
    _about: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    setup: Vec<Value>,
    scenarios: Vec<Value>,
    #[serde(default)]
    cleanup: Vec<Value>,
}

impl Suite {
    /// The scenarios of this repository.
    pub fn own() -> anyhow::Result<Self> {
        Self::read(&Self::directory())
    }

    /// The directory of this repository's scenarios.
    pub fn directory() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
    }

    /// The scenarios of a directory, and `rules.yaml` next to it.
    pub fn read(directory: &Path) -> anyhow::Result<Self> {
        let mut paths = Vec::new();
        let entries = fs::read_dir(directory)
            .with_context(|| format!("cannot read {}", directory.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                paths.push(path);
            }
        }
        paths.sort();
        let files = paths.iter().map(|path| group(path));
        let suite = Self {
            files: files.collect::<anyhow::Result<_>>()?,
            rules: Rules::read(&directory.with_file_name("rules.yaml"))?,
        };
        suite.check()?;
        Ok(suite)
    }

    /// Every scenario, with its file.
    pub fn scenarios(&self) -> impl Iterator<Item = (&Group, &Scenario)> {
        let files = self.files.iter();
        files.flat_map(|file| file.scenarios.iter().map(move |scenario| (file, scenario)))
    }

    /// Checks that scenarios pin every rule, and nothing that is not a rule.
    fn check(&self) -> anyhow::Result<()> {
        for (file, scenario) in self.scenarios() {
            for pin in &scenario.pins {
                if self.rules.get(pin).is_none() {
                    bail!(
                        "{}: {:?} pins {pin}, which is no rule",
                        file.name,
                        scenario.name
                    );
                }
            }
        }
        for rule in self.rules.all() {
            let pinned = self.scenarios().any(|(_, one)| one.pins.contains(&rule.id));
            if pinned == rule.unpinned.is_some() {
                bail!(
                    "the rule {} must either have a scenario or say in `unpinned` why it has none",
                    rule.id
                );
            }
        }
        Ok(())
    }
}

fn group(path: &Path) -> anyhow::Result<Group> {
    let shown = path.display();
    let name = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let file: FileText = yaml::read(path)?;
    let mut scenarios = Vec::new();
    for value in file.scenarios {
        let name = Text::name_of(&value);
        let read = Text::scenarios(value).with_context(|| format!("{shown}: {name:?}"))?;
        scenarios.extend(read.into_iter().map(|mut scenario| {
            scenario.tags.extend(file.tags.iter().cloned());
            scenario
        }));
    }
    let none = Variables::new();
    Ok(Group {
        name,
        setup: steps(&file.setup, &none, true).with_context(|| format!("{shown}: setup"))?,
        scenarios,
        cleanup: steps(&file.cleanup, &none, false).with_context(|| format!("{shown}: cleanup"))?,
    })
}
