//! The application of a batch, as `SparkSubmit` takes it.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::CommandError;

/// The class that tells the server when the application runs.
const LISTENER: &str = "livius.agent.BatchListener";

/// What may not stand in the path of a URI.
const NOT_IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Adds the server's listener to those that are configured.
pub(super) fn listen(conf: &mut BTreeMap<String, String>) {
    let listeners = conf.entry("spark.extraListeners".to_owned()).or_default();
    let mut names: Vec<&str> = listeners
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if !names.contains(&LISTENER) {
        names.push(LISTENER);
    }
    *listeners = names.join(",");
}

/// The class, the file and the arguments. What comes after the file is the application's, whatever it looks like.
pub(super) fn words(
    file: &str,
    class_name: Option<&str>,
    args: &[String],
) -> Result<Vec<String>, CommandError> {
    let class = class_name.map(|name| ["--class".to_owned(), name.to_owned()]);
    let mut words: Vec<String> = class.into_iter().flatten().collect();
    words.push(resource(file)?);
    words.extend_from_slice(args);
    Ok(words)
}

/// The file as Spark finds it. It finds a path with blanks or `%` in it as it is, but takes what follows a `#` for another name of the
/// file. (A jar with a comma in its path it finds in no spelling.)
fn resource(file: &str) -> Result<String, CommandError> {
    if file.starts_with('/') {
        let has_fragment = file.contains('#');
        return Ok(if has_fragment {
            file_uri(file)
        } else {
            file.to_owned()
        });
    }
    let is_uri = file.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    if is_uri {
        Ok(file.to_owned())
    } else {
        Err(CommandError::File(file.to_owned()))
    }
}

/// An absolute path as a URI.
pub(super) fn file_uri(path: &str) -> String {
    format!("file://{}", utf8_percent_encode(path, NOT_IN_PATH))
}
