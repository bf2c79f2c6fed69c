//! `POST /sessions`: its seventeen fields.

use std::collections::BTreeMap;

use livius_domain::{Kind, SessionRequest, duration};
use serde::Serialize;
use utoipa::ToSchema;

use crate::RequestError;
use crate::error::shown;
use crate::field::Field;
use crate::json::{ReadOptions, Shape};
use crate::submit_options::{self, check_length, rejected, text};

const SHAPE: Shape<17> = Shape {
    class: "org.apache.livy.server.interactive.CreateInteractiveRequest",
    example: r#"{"kind":"pyspark"}"#,
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

/// The body of `POST /sessions`, for the OpenAPI document. All fields are optional.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionBody {
    /// `spark` (or `scala`), `pyspark` (or `python`), `sparkr` (or `r`), `sql`, or `shared` (the
    /// default). Each statement of a `shared` session names its own kind.
    pub kind: Option<String>,
    /// User to impersonate.
    pub proxy_user: Option<String>,
    /// Jars for the driver and the executors.
    #[serde(default)]
    pub jars: Vec<String>,
    /// Python files.
    #[serde(default)]
    pub py_files: Vec<String>,
    /// Files for the executors' working directories.
    #[serde(default)]
    pub files: Vec<String>,
    /// Memory of the driver, in Spark's syntax, such as `2g`.
    pub driver_memory: Option<String>,
    /// Cores of the driver.
    pub driver_cores: Option<u32>,
    /// Memory of each executor.
    pub executor_memory: Option<String>,
    /// Cores of each executor.
    pub executor_cores: Option<u32>,
    /// The number of executors.
    pub num_executors: Option<u32>,
    /// Archives to be unpacked in the executors' working directories.
    #[serde(default)]
    pub archives: Vec<String>,
    /// Queue of the resource manager.
    pub queue: Option<String>,
    /// Name of the session, which can replace its number in paths. It is unique and must not be all
    /// digits.
    pub name: Option<String>,
    /// Spark configuration.
    #[serde(default)]
    pub conf: BTreeMap<String, String>,
    /// The session ends when it gets no request for this many seconds; 0 means never.
    #[serde(default)]
    pub heartbeat_timeout_in_second: u32,
    /// The time that the session may live, such as `12h` (units `us ms s m min h d`; without a
    /// unit, milliseconds).
    pub ttl: Option<String>,
    /// The time that the session may be idle, in the same syntax.
    pub idle_timeout: Option<String>,
}

/// Reads a request for a session from the text of a body.
pub fn read_session(text: &str, options: ReadOptions) -> Result<SessionRequest, RequestError> {
    check_length(text, "session")?;
    let mut request = SessionRequest::default();
    for field in Field::all(&SHAPE, text, options)? {
        set(&mut request, &field)?;
    }
    Ok(request)
}

type SessionField<'a> = Field<'a, 17>;

fn set(request: &mut SessionRequest, field: &SessionField) -> Result<(), RequestError> {
    match field.name {
        "kind" => request.kind = kind(field)?,
        "heartbeatTimeoutInSecond" => request.heartbeat_timeout_seconds = field.clipped()?,
        "ttl" => request.ttl = time(field)?,
        "idleTimeout" => request.idle_timeout = time(field)?,
        _ => submit_options::set(&mut request.submit, field)?,
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

#[cfg(test)]
mod tests;
