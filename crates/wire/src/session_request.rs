//! `POST /sessions`: the seventeen fields.

use std::collections::BTreeMap;

use domain::{Kind, SessionRequest, duration, name};
use serde::Serialize;
use utoipa::ToSchema;

use crate::RequestError;
use crate::error::shown;
use crate::field::Field;
use crate::json::{ReadOptions, Shape};

/// The longest body. A session's request is kept as long as the session is listed, and shown in every answer about it.
pub const MAX_SESSION_REQUEST_BYTES: usize = 4 << 20;

/// The most entries of `conf`.
pub const MAX_CONF_ENTRIES: usize = 10_000;

/// The most entries of a list of files.
pub const MAX_LIST_ITEMS: usize = 10_000;

/// The longest text that is not a value of `conf`, in bytes.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// Spark's units of sizes.
const SIZE_UNITS: [&str; 12] = [
    "", "b", "k", "kb", "m", "mb", "g", "gb", "t", "tb", "p", "pb",
];

const SHAPE: Shape<17> = Shape {
    class: "org.apache.livy.server.interactive.CreateInteractiveRequest",
    names: [
        "kind",
        "proxyUser",
        "jars",
        "pyFiles",
        "files",
        "driverMemory",
        "driverCores",
        "executorMemory",
        "executorCores",
        "numExecutors",
        "archives",
        "queue",
        "name",
        "conf",
        "heartbeatTimeoutInSecond",
        "ttl",
        "idleTimeout",
    ],
};

/// The body of `POST /sessions`, for the description of the interface. Every field may be left out.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionBody {
    /// `spark` (or `scala`), `pyspark` (or `python`), `sparkr` (or `r`), `sql`, or `shared` (the default): each statement
    /// names its own kind.
    pub kind: Option<String>,
    /// User to impersonate.
    pub proxy_user: Option<String>,
    /// Jars for the driver and the executors.
    pub jars: Vec<String>,
    /// Python files.
    pub py_files: Vec<String>,
    /// Files for the executors' working directories.
    pub files: Vec<String>,
    /// Memory of the driver, in Spark's syntax, such as `2g`.
    pub driver_memory: Option<String>,
    /// Cores of the driver.
    pub driver_cores: Option<u32>,
    /// Memory of each executor.
    pub executor_memory: Option<String>,
    /// Cores of each executor.
    pub executor_cores: Option<u32>,
    /// How many executors.
    pub num_executors: Option<u32>,
    /// Archives to be unpacked in the executors' working directories.
    pub archives: Vec<String>,
    /// Queue of the resource manager.
    pub queue: Option<String>,
    /// Name of the session, which then works in paths as its number does. Unique, and not all digits.
    pub name: Option<String>,
    /// Spark configuration.
    pub conf: BTreeMap<String, String>,
    /// The session ends when no request about it came for so many seconds; 0 is never.
    pub heartbeat_timeout_in_second: u32,
    /// The longest life, such as `12h` (units `us ms s m min h d`; none is milliseconds).
    pub ttl: Option<String>,
    /// The longest idleness, in the same syntax.
    pub idle_timeout: Option<String>,
}

/// Reads a request for a session from the body's text.
pub fn read_session(text: &str, options: ReadOptions) -> Result<SessionRequest, RequestError> {
    if text.len() > MAX_SESSION_REQUEST_BYTES {
        return Err(RequestError::Json(format!(
            "The request for a session is longer than {MAX_SESSION_REQUEST_BYTES} bytes; put large data into files and name them \
             in \"files\""
        )));
    }
    let values = SHAPE.read(text, options)?;
    let mut request = SessionRequest::default();
    for (name, raw) in SHAPE.names.into_iter().zip(values) {
        if let Some(raw) = raw {
            set(
                &mut request,
                &Field {
                    shape: &SHAPE,
                    name,
                    raw,
                },
            )?;
        }
    }
    Ok(request)
}

type SessionField<'a> = Field<'a, 17>;

fn set(request: &mut SessionRequest, field: &SessionField) -> Result<(), RequestError> {
    match field.name {
        "kind" => request.kind = kind(field)?,
        "proxyUser" => request.proxy_user = text(field)?,
        "jars" => request.jars = paths(field)?,
        "pyFiles" => request.py_files = paths(field)?,
        "files" => request.files = paths(field)?,
        "archives" => request.archives = paths(field)?,
        "driverMemory" => request.driver_memory = memory(field)?,
        "driverCores" => request.driver_cores = field.count()?,
        "executorMemory" => request.executor_memory = memory(field)?,
        "executorCores" => request.executor_cores = field.count()?,
        "numExecutors" => request.num_executors = field.count()?,
        "queue" => request.queue = text(field)?,
        "name" => request.name = session_name(field)?,
        "conf" => request.conf = conf(field)?,
        "heartbeatTimeoutInSecond" => request.heartbeat_timeout_seconds = field.clipped()?,
        "ttl" => request.ttl = time(field)?,
        "idleTimeout" => request.idle_timeout = time(field)?,
        other => unreachable!("{other} is not among the names"),
    }
    Ok(())
}

fn kind(field: &SessionField) -> Result<Kind, RequestError> {
    if field.is_null() {
        return Ok(Kind::Shared);
    }
    if !field.is_text() {
        return Err(field.wrong("requirement failed: Kind should be a string."));
    }
    field.kind("spark, pyspark, sparkr, sql and shared")
}

fn text(field: &SessionField) -> Result<Option<String>, RequestError> {
    if field.is_null() {
        return Ok(None);
    }
    let text = field.text()?;
    check_text(field, &text)?;
    Ok(Some(text))
}

fn paths(field: &SessionField) -> Result<Vec<String>, RequestError> {
    let items = field.list(MAX_LIST_ITEMS)?;
    for item in &items {
        check_text(field, item)?;
    }
    Ok(items)
}

fn session_name(field: &SessionField) -> Result<Option<String>, RequestError> {
    if field.is_null() {
        return Ok(None);
    }
    let text = field.text()?;
    match name::check(&text) {
        Ok(()) => Ok(Some(text)),
        Err(error) => Err(rejected(&format!(
            "{error} (a name has 1 to {} characters, is not all digits and has no control characters)",
            name::MAX_CHARS
        ))),
    }
}

fn time(field: &SessionField) -> Result<Option<String>, RequestError> {
    let Some(text) = text(field)? else {
        return Ok(None);
    };
    match duration::parse(&text) {
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(rejected(&format!(
            "{} ({} takes a whole number and a unit, such as 90s, 30m or 12h)",
            shown(&error.to_string()),
            field.name
        ))),
    }
}

/// A size in Spark's syntax; an empty one is none.
fn memory(field: &SessionField) -> Result<Option<String>, RequestError> {
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

fn conf(field: &SessionField) -> Result<BTreeMap<String, String>, RequestError> {
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

fn check_text(field: &SessionField, text: &str) -> Result<(), RequestError> {
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

fn rejected(reason: &str) -> RequestError {
    RequestError::Refused(format!("Rejected, Reason: {reason}"))
}

#[cfg(test)]
mod tests;
