//! Finds and reads the files.

use camino::{Utf8Path, Utf8PathBuf};
use livius_spark_home::properties;

use crate::config::problem::ConfigError;
use crate::config::process_environment::ProcessEnvironment;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `livy-client.conf`: the configuration of drivers.
    Client,
    /// `livy.conf`.
    Server,
    /// `spark-blacklist.conf`: keys that requests may not name.
    Blacklist,
}

/// The files, lowest precedence first.
const NAMES: [(&str, Role); 3] = [
    ("livy-client.conf", Role::Client),
    ("livy.conf", Role::Server),
    ("spark-blacklist.conf", Role::Blacklist),
];

/// Files of the same directory that configure Livy's own process.
const OTHERS: [&str; 3] = ["livy-env.sh", "log4j.properties", "log4j2.properties"];

/// One entry of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub file: Utf8PathBuf,
    /// The kind of the file.
    pub role: Role,
    /// The line.
    pub line: usize,
    /// The key as it is spelled there.
    pub name: String,
    /// The key's present name, where this is an old spelling of it.
    pub present_name: Option<&'static str>,
    /// Its text.
    pub text: String,
}

/// All entries of all files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The directory or file.
    pub from: Utf8PathBuf,
    /// In the order in which they are read.
    pub entries: Vec<Entry>,
    /// Other files of the directory, which are not read.
    pub others: Vec<String>,
}

impl Entry {
    /// Tells whether Livy's server reads this key from this file. It reads `livy.rsc.…` from both
    /// files.
    pub fn is_in_place(&self) -> bool {
        match self.role {
            Role::Server => true,
            Role::Client => self.name.starts_with("livy.rsc."),
            Role::Blacklist => false,
        }
    }
}

impl Files {
    /// The effective text of a key: the last one under its name, or else the last one under its old
    /// name. An empty text counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.deciding(name)
            .map(|entry| entry.text.as_str())
            .filter(|text| !text.is_empty())
    }

    /// The effective entry of a key.
    pub fn deciding(&self, name: &str) -> Option<&Entry> {
        let in_place = || self.entries.iter().filter(|entry| entry.is_in_place());
        in_place()
            .rfind(|entry| entry.name == name)
            .or_else(|| in_place().rfind(|entry| entry.present_name == Some(name)))
    }
}

/// The named directory or file, or else Livy's own directory.
pub fn locate(
    named: Option<&str>,
    environment: &ProcessEnvironment,
) -> Result<Utf8PathBuf, ConfigError> {
    let base = environment.base();
    if let Some(named) = named.or_else(|| environment.get("LIVY_CONF_DIR")) {
        return Ok(base.resolve(named));
    }
    match environment.get("LIVY_HOME") {
        Some(home) => Ok(base.resolve(home).join("conf")),
        None => Err(problem(
            "nobody says where Livy's configuration is: name its directory with --from DIR, or set LIVY_CONF_DIR or LIVY_HOME".to_owned(),
        )),
    }
}

/// Finds the present name of a key that is spelled as it was in older versions of Livy.
pub type PresentName = fn(&str) -> Option<&'static str>;

/// Reads a directory's files, or one file.
pub fn read(from: &Utf8Path, present_name: PresentName) -> Result<Files, ConfigError> {
    let mut files = Files {
        from: from.to_owned(),
        ..Files::default()
    };
    if !from.is_dir() {
        let role = NAMES
            .iter()
            .find(|(name, _)| from.file_name() == Some(name))
            .map_or(Role::Server, |(_, role)| *role);
        files.entries = entries(from, role, present_name)?;
        return Ok(files);
    }
    let present: Vec<(Utf8PathBuf, Role)> = NAMES
        .iter()
        .map(|(name, role)| (from.join(name), *role))
        .filter(|(path, _)| path.exists())
        .collect();
    if present.is_empty() {
        return Err(problem(format!(
            "{from}: there is no livy.conf, livy-client.conf or spark-blacklist.conf in this directory"
        )));
    }
    for (path, role) in present {
        files.entries.extend(entries(&path, role, present_name)?);
    }
    let others = OTHERS.iter().filter(|name| from.join(name).exists());
    files.others = others.map(|name| (*name).to_owned()).collect();
    Ok(files)
}

fn entries(
    path: &Utf8Path,
    role: Role,
    present_name: PresentName,
) -> Result<Vec<Entry>, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| problem(format!("{path}: cannot be read: {error}")))?;
    let entry = |property: properties::Property| Entry {
        file: path.to_owned(),
        role,
        line: property.line,
        present_name: present_name(&property.key),
        name: property.key,
        text: property.value.trim().to_owned(),
    };
    Ok(properties::entries(&text).into_iter().map(entry).collect())
}

fn problem(sentence: String) -> ConfigError {
    ConfigError {
        problems: vec![sentence],
    }
}
