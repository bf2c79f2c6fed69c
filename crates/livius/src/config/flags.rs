//! The layer of the command line.

use super::layers::Layers;
use super::problem::unknown_key;
use super::process_environment::ProcessEnvironment;
use super::resolved::Origin;
use super::sections::{pools, spark};
use super::setting::{Key, Setting};
use super::value::Raw;

/// The settings of the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// The file that `--config` names.
    pub config: Option<String>,
    /// The directory or file that `--livy-conf` names.
    pub livy_conf: Option<String>,
    /// Keys, the flags that set them, and the texts.
    pub values: Vec<(&'static Key, &'static str, String)>,
    /// Every `--conf NAME=TEXT`: Spark configuration.
    pub conf: Vec<String>,
    /// Every `--set KEY=TEXT`.
    pub set: Vec<String>,
}

impl Flags {
    /// Adds a flag's value, if it was given.
    pub fn add<T>(
        &mut self,
        setting: &'static Setting<T>,
        flag: &'static str,
        value: Option<&String>,
    ) {
        self.values
            .extend(value.map(|value| (&setting.key, flag, value.clone())));
    }
}

/// Reads the flags into the layers.
pub fn read(flags: &Flags, environment: &ProcessEnvironment, layers: &mut Layers) {
    let base = environment.base();
    for (key, flag, text) in &flags.values {
        layers.set(
            key,
            &Raw::One(text.clone()),
            Origin::Flag((*flag).to_owned()),
            base,
        );
    }
    for pair in &flags.conf {
        let origin = Origin::Flag("--conf".to_owned());
        match pair.split_once('=') {
            Some((name, text)) if !name.is_empty() => {
                layers.set_entry(&spark::CONF.key, name, text, origin);
            }
            _ => layers.problem(&origin, &format!("{pair:?} is not NAME=TEXT")),
        }
    }
    for pair in &flags.set {
        let origin = Origin::Flag("--set".to_owned());
        match pair.split_once('=') {
            Some((key, text)) => set(key.trim(), text, origin, environment, layers),
            None => layers.problem(&origin, &format!("{pair:?} is not KEY=VALUE")),
        }
    }
}

fn set(
    key: &str,
    text: &str,
    origin: Origin,
    environment: &ProcessEnvironment,
    layers: &mut Layers,
) {
    for table in [&spark::CONF.key, &pools::POOLS.key] {
        let entry = key
            .strip_prefix(table.path)
            .and_then(|rest| rest.strip_prefix('.'));
        match entry {
            Some("") => return layers.problem(&origin, &unknown_key(key)),
            Some(name) => return layers.set_entry(table, name, text, origin),
            None => {}
        }
    }
    layers.set_named(key, &Raw::One(text.to_owned()), origin, environment.base());
}
