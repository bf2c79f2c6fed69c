//! The application of a batch as arguments of `SparkSubmit`.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::CommandError;

/// The class that reports to the server when the application runs.
const LISTENER: &str = "livius.agent.BatchListener";

/// The characters that are escaped in the path of a URI.
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

/// Adds the server's listener to the configured ones.
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

/// The class, the file and the arguments. Everything after the file belongs to the application.
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

/// The file as Spark finds it. Spark accepts a path with blanks or `%`, but reads text after a `#`
/// as another name for the file. (Spark cannot find a jar with a comma in its path.)
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
