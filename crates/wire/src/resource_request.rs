//! `POST /sessions/{id}/add-jar`, `…/add-pyfile` and `…/add-file`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::RequestError;
use crate::error::shown;
use crate::field::Field;
use crate::json::{ReadOptions, Shape};

const SHAPE: Shape<1> = Shape {
    class: "org.apache.livy.client.common.HttpMessages$AddResource",
    example: r#"{"uri":"hdfs://namenode/jars/app.jar"}"#,
    names: ["uri"],
};

/// The longest address. Signed addresses of object stores have some thousand bytes.
const MAX_URI_BYTES: usize = 16 << 10;

/// The body of `POST /sessions/{id}/add-jar`, `…/add-pyfile` and `…/add-file`, for the OpenAPI
/// document.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ResourceBody {
    /// The address at which the driver finds the file.
    pub uri: String,
}

/// The body of `POST /sessions/{id}/upload-jar`, for the OpenAPI document.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct JarForm {
    /// The file, with its name.
    #[schema(value_type = String, format = Binary)]
    pub jar: Vec<u8>,
}

/// The body of `POST /sessions/{id}/upload-pyfile` and `…/upload-file`, for the OpenAPI document.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct FileForm {
    /// The file, with its name.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

/// Reads the address of a file from the text of a body.
pub fn read_resource(text: &str, options: ReadOptions) -> Result<String, RequestError> {
    let [uri] = SHAPE.read(text, options)?;
    let field = uri.map(|raw| Field {
        shape: &SHAPE,
        name: "uri",
        raw,
    });
    let uri = match field.filter(|field| !field.is_null()) {
        Some(field) => field.text()?.trim().to_owned(),
        None => String::new(),
    };
    if uri.is_empty() {
        return Err(RequestError::Refused(format!(
            "requirement failed: no uri provided: say where the driver finds the file, as in {}",
            SHAPE.example
        )));
    }
    if uri.len() > MAX_URI_BYTES || uri.contains(char::is_control) {
        return Err(RequestError::Refused(format!(
            "uri must have at most {MAX_URI_BYTES} bytes and no control characters: \"{}\"",
            shown(&uri).escape_debug()
        )));
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        read_resource(text, ReadOptions::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_read() {
        for (text, expected) in [
            (r#"{"uri":"hdfs://h/a b.jar"}"#, "hdfs://h/a b.jar"),
            (r#"{"uri":" /jobs/π.py "}"#, "/jobs/π.py"),
        ] {
            assert_eq!(read(text), Ok(expected.to_owned()), "{text}");
        }
        let longest = "x".repeat(MAX_URI_BYTES);
        let text = serde_json::to_string(&ResourceBody {
            uri: longest.clone(),
        });
        assert_eq!(read(&text.unwrap()), Ok(longest));
    }

    #[test]
    fn refusals_name_the_field() {
        let long = format!(r#"{{"uri":"{}"}}"#, "x".repeat(MAX_URI_BYTES + 1));
        let mut lines = Vec::new();
        for text in [
            "",
            "{}",
            r#"{"uri":null}"#,
            r#"{"uri":" "}"#,
            r#"{"uri":["a"]}"#,
            r#"{"uri":"a\u0000b"}"#,
            r#"{"url":"a"}"#,
            &long,
        ] {
            lines.push(read(text).unwrap_err());
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        No content to map due to end-of-input (the request has no body; send a JSON object, such as {"uri":"hdfs://namenode/jars/app.jar"})
        requirement failed: no uri provided: say where the driver finds the file, as in {"uri":"hdfs://namenode/jars/app.jar"}
        requirement failed: no uri provided: say where the driver finds the file, as in {"uri":"hdfs://namenode/jars/app.jar"}
        requirement failed: no uri provided: say where the driver finds the file, as in {"uri":"hdfs://namenode/jars/app.jar"}
        uri must be a string: found a list (through reference chain: org.apache.livy.client.common.HttpMessages$AddResource["uri"])
        uri must have at most 16384 bytes and no control characters: "a\0b"
        Unrecognized field "url" (class org.apache.livy.client.common.HttpMessages$AddResource), not marked as ignorable (1 known properties: "uri") (through reference chain: org.apache.livy.client.common.HttpMessages$AddResource["url"]); did you mean "uri"?
        uri must have at most 16384 bytes and no control characters: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"
        "#);
    }
}
