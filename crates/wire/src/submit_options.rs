//! The fields that session requests and batch requests share.

use std::collections::BTreeMap;

use livius_domain::{SubmitOptions, name};

use crate::RequestError;
use crate::error::shown;
use crate::field::Field;
use crate::livy;

/// The longest body. The server keeps such a request as long as it lists the session or batch.
pub const MAX_SUBMIT_REQUEST_BYTES: usize = 4 << 20;

/// The most entries of `conf`.
pub const MAX_CONF_ENTRIES: usize = 10_000;

/// The most entries of a list.
pub const MAX_LIST_ITEMS: usize = 10_000;

/// The longest text that is neither a value of `conf` nor an argument, in bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 64 << 10;

/// Spark's units of size.
const SIZE_UNITS: [&str; 12] = [
    "", "b", "k", "kb", "m", "mb", "g", "gb", "t", "tb", "p", "pb",
];

/// Refuses a body that is too long to be kept. `what` names the requested thing.
pub(crate) fn check_length(text: &str, what: &str) -> Result<(), RequestError> {
    if text.len() > MAX_SUBMIT_REQUEST_BYTES {
        return Err(RequestError::Json(format!(
            "The request for a {what} is longer than {MAX_SUBMIT_REQUEST_BYTES} bytes; put large data into files and name them \
             in \"files\""
        )));
    }
    Ok(())
}

/// Reads one of the shared fields.
pub(crate) fn set<const N: usize>(
    options: &mut SubmitOptions,
    field: &Field<N>,
) -> Result<(), RequestError> {
    match field.name {
        "proxyUser" => options.proxy_user = text(field)?,
        "jars" => options.jars = paths(field)?,
        "pyFiles" => options.py_files = paths(field)?,
        "files" => options.files = paths(field)?,
        "archives" => options.archives = paths(field)?,
        "driverMemory" => options.driver_memory = memory(field)?,
        "driverCores" => options.driver_cores = field.count()?,
        "executorMemory" => options.executor_memory = memory(field)?,
        "executorCores" => options.executor_cores = field.count()?,
        "numExecutors" => options.num_executors = field.count()?,
        "queue" => options.queue = text(field)?,
        "name" => options.name = unique_name(field)?,
        "conf" => options.conf = conf(field)?,
        other => unreachable!("{other} is not among the names"),
    }
    Ok(())
}

/// Reads a text of limited length without control characters.
pub(crate) fn text<const N: usize>(field: &Field<N>) -> Result<Option<String>, RequestError> {
    if field.is_null() {
        return Ok(None);
    }
    let text = field.text()?;
    check_text(field, &text)?;
    Ok(Some(text))
}

/// Refuses a well-formed request in Livy's words.
pub(crate) fn rejected(reason: &str) -> RequestError {
    RequestError::Refused(format!("Rejected, Reason: {reason}"))
}

fn paths<const N: usize>(field: &Field<N>) -> Result<Vec<String>, RequestError> {
    let items = field.list(MAX_LIST_ITEMS)?;
    for item in &items {
        check_text(field, item)?;
    }
    Ok(items)
}

fn unique_name<const N: usize>(field: &Field<N>) -> Result<Option<String>, RequestError> {
    if field.is_null() {
        return Ok(None);
    }
    let text = field.text()?;
    match name::check(&text) {
        Ok(()) => Ok(Some(text)),
        Err(error) => Err(rejected(&format!(
            "{} (a name has 1 to {} characters, is not all digits and has no control characters)",
            livy::invalid_name(&error),
            name::MAX_CHARS
        ))),
    }
}

/// Reads a size in Spark's syntax. An empty one means none.
fn memory<const N: usize>(field: &Field<N>) -> Result<Option<String>, RequestError> {
    let Some(text) = text(field)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if is_size(&text) {
        return Ok(Some(text));
    }
    Err(rejected(&format!(
        "Invalid {name}: {found} ({name} takes a whole number and a unit, such as 512m or 2g)",
        name = field.name,
        found = shown(&text),
    )))
}

fn is_size(text: &str) -> bool {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    unit.len() < text.len() && SIZE_UNITS.contains(&&*unit.to_ascii_lowercase())
}

fn conf<const N: usize>(field: &Field<N>) -> Result<BTreeMap<String, String>, RequestError> {
    let conf = field.map(MAX_CONF_ENTRIES)?;
    for (key, value) in &conf {
        let shown_key = shown(key).escape_debug().to_string();
        if key.is_empty() || key.len() > MAX_TEXT_BYTES || key.chars().any(char::is_control) {
            return Err(rejected(&format!(
                "conf has a key that is empty, too long or has control characters: \"{shown_key}\""
            )));
        }
        if value.contains('\0') {
            return Err(rejected(&format!(
                "conf has a NUL character in the value of \"{shown_key}\""
            )));
        }
    }
    Ok(conf)
}

fn check_text<const N: usize>(field: &Field<N>, text: &str) -> Result<(), RequestError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(rejected(&format!(
            "{} has a text of more than {MAX_TEXT_BYTES} bytes",
            field.name
        )));
    }
    if text.chars().any(char::is_control) {
        let text = shown(text).escape_debug().to_string();
        return Err(rejected(&format!(
            "{} has control characters: \"{text}\"",
            field.name
        )));
    }
    Ok(())
}
