//! The environment: read once, here, and handed on as values.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::keys::{self, Key};
use super::layers::{Layers, Origin};
use super::problem::suggestion;
use super::value::{Base, Raw};

/// Variables with our prefix that are no keys: where the files are, what clients are told, what drivers are marked with, and what the test
/// suite tells its tests.
const NO_KEYS: [&str; 6] = [
    "LIVIUS_CONFIG",
    "LIVIUS_LIVY_CONF",
    "LIVIUS_URL",
    "LIVIUS_PASSWORD",
    "LIVIUS_DRIVER_",
    "LIVIUS_TEST_",
];

/// Where the process runs: its variables and its working directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    variables: BTreeMap<String, String>,
    not_unicode: Vec<String>,
    directory: Utf8PathBuf,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_this_process() -> Self {
        let mut variables = BTreeMap::new();
        let mut not_unicode = Vec::new();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => {
                    variables.insert(name, value);
                }
                (Ok(name), Err(_)) => not_unicode.push(name),
                (Err(_), _) => {}
            }
        }
        let directory = std::env::current_dir()
            .ok()
            .and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
        Self {
            variables,
            not_unicode,
            directory: directory.unwrap_or_else(|| "/".into()),
        }
    }

    /// Made up, for tests.
    #[cfg(test)]
    pub fn invented(variables: &[(&str, &str)], directory: &str) -> Self {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            variables,
            not_unicode: Vec::new(),
            directory: directory.into(),
        }
    }

    /// A variable's value; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// What the launching of drivers may look at.
    pub fn for_drivers(&self) -> livius_spark_home::Environment {
        livius_spark_home::Environment::new(self.variables.clone())
    }

    /// Where relative paths count from.
    pub fn base(&self) -> Base<'_> {
        Base {
            directory: &self.directory,
            home: self.get("HOME").map(Utf8Path::new),
        }
    }

    /// Where the process runs.
    pub fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// Where what a user did is remembered.
    pub fn default_state_dir(&self) -> Option<Utf8PathBuf> {
        self.user_directory("XDG_STATE_HOME", ".local/state")
    }

    /// The user's data directory.
    pub fn default_data_dir(&self) -> Option<Utf8PathBuf> {
        self.user_directory("XDG_DATA_HOME", ".local/share")
    }

    /// The user's configuration file, whether it is there or not.
    pub fn default_config_file(&self) -> Option<Utf8PathBuf> {
        self.user_directory("XDG_CONFIG_HOME", ".config")
            .map(|dir| dir.join("livius.toml"))
    }

    /// The XDG rule: an absolute path in the variable, else the place in the home directory.
    fn user_directory(&self, variable: &str, in_home: &str) -> Option<Utf8PathBuf> {
        let set = self
            .get(variable)
            .map(Utf8Path::new)
            .filter(|path| path.is_absolute())
            .map(Utf8Path::to_owned);
        let home = || {
            self.get("HOME")
                .map(|home| Utf8Path::new(home).join(in_home))
        };
        set.or_else(home).map(|dir| dir.join("livius"))
    }
}

/// Reads the wider world's variables, such as `SPARK_HOME`, into the layers.
pub fn read_fallbacks(surroundings: &Surroundings, layers: &mut Layers) {
    for key in keys::all() {
        let Some(variable) = key.fallback else {
            continue;
        };
        if let Some(text) = surroundings.get(variable) {
            let origin = Origin::Variable(variable.to_owned());
            layers.set(
                key.path,
                &Raw::One(text.to_owned()),
                origin,
                surroundings.base(),
            );
        }
    }
}

/// Reads our own variables into the layers. One that is set to nothing is as good as not set.
pub fn read(surroundings: &Surroundings, layers: &mut Layers) {
    let ours = |name: &str| {
        name.starts_with("LIVIUS_") && !NO_KEYS.iter().any(|other| name.starts_with(other))
    };
    for name in surroundings.not_unicode.iter().filter(|name| ours(name)) {
        layers.problem(&Origin::Variable(name.clone()), "the value is not UTF-8");
    }
    for (name, text) in surroundings
        .variables
        .iter()
        .filter(|(name, text)| ours(name) && !text.is_empty())
    {
        let origin = Origin::Variable(name.clone());
        if let Some(key) = keys::all().find(|key| key.variable() == *name) {
            layers.set(
                key.path,
                &Raw::One(text.clone()),
                origin,
                surroundings.base(),
            );
        } else {
            let hint = suggestion(name, keys::all().map(Key::variable));
            layers.problem(&origin, &format!("no key is set by this variable{hint}"));
        }
    }
}
