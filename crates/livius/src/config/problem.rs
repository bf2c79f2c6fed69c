//! All problems of a configuration at once.

use std::fmt;

use super::sections;
use super::setting::Key;

/// All problems of a configuration, each with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// One sentence each.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [only] => write!(f, "the configuration is wrong: {only}"),
            several => {
                write!(f, "the configuration is wrong in {} places:", several.len())?;
                several
                    .iter()
                    .try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

/// Returns "; did you mean …?" if a known name is similar.
pub fn suggestion(unknown: &str, known: impl Iterator<Item = String>) -> String {
    // Common prefixes would make all names look similar.
    let own = |name: &str| {
        let name = name.trim_start_matches("LIVIUS_");
        let of_livy = name.strip_prefix("livy.");
        of_livy
            .map_or(name, |rest| rest.strip_prefix("server.").unwrap_or(rest))
            .to_owned()
    };
    let near = known
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(&own(unknown), &own(&candidate)),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    near.map(|(_, candidate)| format!("; did you mean {candidate}?"))
        .unwrap_or_default()
}

/// The message about an unknown key.
pub fn unknown_key(path: &str) -> String {
    let hint = suggestion(path, sections::all().map(|key| key.path.to_owned()));
    let hint = if hint.is_empty() {
        same_name_elsewhere(path)
    } else {
        hint
    };
    format!("there is no key {path}{hint}")
}

/// Finds the same name in another section, whose whole path may not look similar.
fn same_name_elsewhere(path: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    let found = sections::all().find(|key: &&Key| key.path.rsplit('.').next() == Some(name));
    found
        .map(|key| format!("; did you mean {}?", key.path))
        .unwrap_or_default()
}
