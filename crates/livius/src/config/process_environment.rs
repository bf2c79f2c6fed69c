//! The environment of the process, as a value: tests make their own.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::value::Base;

/// The variables and the working directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessEnvironment {
    variables: BTreeMap<String, String>,
    not_unicode: Vec<String>,
    directory: Utf8PathBuf,
}

impl ProcessEnvironment {
    /// The environment of this process.
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

    /// An environment for tests.
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

    /// Every variable whose value is UTF-8, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names of variables whose values are not UTF-8.
    pub fn not_unicode(&self) -> impl Iterator<Item = &str> {
        self.not_unicode.iter().map(String::as_str)
    }

    /// A variable's value; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The variables, for the search for Spark and for drivers.
    pub fn for_drivers(&self) -> livius_spark_home::Environment {
        livius_spark_home::Environment::new(self.variables.clone())
    }

    /// The directory that relative paths start from, and the home directory.
    pub fn base(&self) -> Base<'_> {
        Base {
            directory: &self.directory,
            home: self.get("HOME").map(Utf8Path::new),
        }
    }

    /// The working directory.
    pub fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// The directory of the history of commands.
    pub fn default_state_dir(&self) -> Option<Utf8PathBuf> {
        self.user_directory("XDG_STATE_HOME", ".local/state")
    }

    /// The user's data directory.
    pub fn default_data_dir(&self) -> Option<Utf8PathBuf> {
        self.user_directory("XDG_DATA_HOME", ".local/share")
    }

    /// The path of the user's configuration file.
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
