//! `POST /batches`: its sixteen fields.

use std::collections::BTreeMap;

use livius_domain::BatchRequest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::RequestError;
use crate::field::Field;
use crate::json::{ReadOptions, Shape};
use crate::submit_options::{self, MAX_LIST_ITEMS, check_length, rejected, text};

/// The longest argument, in bytes: Linux allows no longer ones.
pub const MAX_ARGUMENT_BYTES: usize = (128 << 10) - 1;

/// The most bytes of all arguments together.
pub const MAX_ARGUMENTS_BYTES: usize = 1 << 20;

const SHAPE: Shape<16> = Shape {
    class: "org.apache.livy.server.batch.CreateBatchRequest",
    example: r#"{"file":"/path/to/application.py"}"#,
    names: [
        "file",
        "proxyUser",
        "className",
        "args",
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
    ],
};

/// The body of `POST /batches`, for the OpenAPI document. Only `file` is required.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchBody {
    /// The application: a jar, or a Python or R file.
    pub file: String,
    /// User to impersonate.
    pub proxy_user: Option<String>,
    /// The main class of a jar.
    pub class_name: Option<String>,
    /// The application's arguments. Each reaches the application unchanged, also an empty one.
    #[serde(default)]
    pub args: Vec<String>,
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
    /// Name of the batch, which can replace its number in paths. It is unique among batches and
    /// must not be all digits.
    pub name: Option<String>,
    /// Spark configuration.
    #[serde(default)]
    pub conf: BTreeMap<String, String>,
}

/// Reads a request for a batch from the text of a body.
pub fn read_batch(text: &str, options: ReadOptions) -> Result<BatchRequest, RequestError> {
    check_length(text, "batch")?;
    let mut request = BatchRequest::default();
    for field in Field::all(&SHAPE, text, options)? {
        set(&mut request, &field)?;
    }
    if request.file.is_empty() {
        return Err(rejected("requirement failed: File is required."));
    }
    Ok(request)
}

type BatchField<'a> = Field<'a, 16>;

fn set(request: &mut BatchRequest, field: &BatchField) -> Result<(), RequestError> {
    match field.name {
        "file" => request.file = text(field)?.unwrap_or_default(),
        "className" => request.class_name = text(field)?.filter(|name| !name.is_empty()),
        "args" => request.args = arguments(field)?,
        _ => submit_options::set(&mut request.submit, field)?,
    }
    Ok(())
}

fn arguments(field: &BatchField) -> Result<Vec<String>, RequestError> {
    let arguments = field.texts(MAX_LIST_ITEMS)?;
    for (index, argument) in arguments.iter().enumerate() {
        if argument.contains('\0') {
            return Err(rejected(&format!(
                "args: item {index} has a NUL character, which no program can be given; encode such data, or put it into a file"
            )));
        }
        if argument.len() > MAX_ARGUMENT_BYTES {
            return Err(rejected(&format!(
                "args: item {index} has {} bytes, and no program can be given more than {MAX_ARGUMENT_BYTES} in one argument; \
                 put large data into a file",
                argument.len()
            )));
        }
    }
    let total: usize = arguments.iter().map(String::len).sum();
    if total > MAX_ARGUMENTS_BYTES {
        return Err(rejected(&format!(
            "args has {total} bytes in all, and {MAX_ARGUMENTS_BYTES} is the most; put large data into a file"
        )));
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests;
