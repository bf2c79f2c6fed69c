//! `POST /sessions/{id}/statements`.

use livius_domain::{Kind, NewStatement};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::RequestError;
use crate::field::Field;
use crate::json::{ReadOptions, Shape};

const SHAPE: Shape<3> = Shape {
    class: "org.apache.livy.ExecuteRequest",
    example: r#"{"code":"1 + 1"}"#,
    names: ["code", "kind", "msg_type"],
};

/// The kinds of a statement. `shared` is for sessions only.
const KINDS: &str = "spark, pyspark, pyspark3, sparkr and sql";

/// The body of `POST /sessions/{id}/statements`, for the OpenAPI document.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatementBody {
    /// The code to run.
    pub code: String,
    /// Its language; by default the session's. A session of kind `shared` has none, so its
    /// statements need one.
    pub kind: Option<String>,
}

/// Reads a request to run code from the text of a body.
pub fn read_statement(text: &str, options: ReadOptions) -> Result<NewStatement, RequestError> {
    let [code, kind, _] = SHAPE.read(text, options)?;
    let code = required_code(&SHAPE, code)?;
    Ok(NewStatement {
        code: normalised(code),
        kind: optional_kind(&SHAPE, kind)?,
    })
}

pub(crate) fn required_code<const N: usize>(
    shape: &Shape<N>,
    raw: Option<&RawValue>,
) -> Result<String, RequestError> {
    let missing = || {
        shape.wrong(
            "code",
            "code is missing: send what to run, as in {\"code\":\"1 + 1\"}",
        )
    };
    let field = Field {
        shape,
        name: "code",
        raw: raw.ok_or_else(missing)?,
    };
    if field.is_null() {
        Err(missing())
    } else {
        field.text()
    }
}

pub(crate) fn optional_kind<const N: usize>(
    shape: &Shape<N>,
    raw: Option<&RawValue>,
) -> Result<Option<Kind>, RequestError> {
    let field = raw.map(|raw| Field {
        shape,
        name: "kind",
        raw,
    });
    field
        .filter(|field| !field.is_null())
        .map(|field| field.kind(KINDS))
        .transpose()
}

fn normalised(code: String) -> String {
    if code.contains('\r') {
        code.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, Option<Kind>), String> {
        let request =
            read_statement(text, ReadOptions::default()).map_err(|error| error.to_string())?;
        Ok((request.code, request.kind))
    }

    #[test]
    fn code_and_kind_are_read() {
        for (text, code, kind) in [
            (r#"{"code":"1+1"}"#, "1+1", None),
            (r#"{"code":5,"kind":null}"#, "5", None),
            (
                r#"{"code":true,"kind":"python","msg_type":"execute_request"}"#,
                "true",
                Some(Kind::PySpark),
            ),
            (r#"{"code":"a\r\nb\rc\n"}"#, "a\nb\nc\n", None),
            (
                r#"{"code":"λ \ud83e\udd14 \\r","kind":"shared"}"#,
                "λ 🤔 \\r",
                Some(Kind::Shared),
            ),
            (r#"{"code":"","kind":"python3"}"#, "", Some(Kind::PySpark3)),
        ] {
            assert_eq!(read(text), Ok((code.to_owned(), kind)), "{text}");
        }
    }

    #[test]
    fn refusals_name_the_field() {
        for (text, expected) in [
            (
                "{}",
                "code is missing: send what to run, as in {\"code\":\"1 + 1\"} (through reference chain: org.apache.livy.ExecuteRequest[\"code\"])",
            ),
            (
                "{\"code\":null}",
                "code is missing: send what to run, as in {\"code\":\"1 + 1\"} (through reference chain: org.apache.livy.ExecuteRequest[\"code\"])",
            ),
            (
                "{\"code\":[]}",
                "code must be a string: found a list (through reference chain: org.apache.livy.ExecuteRequest[\"code\"])",
            ),
            (
                "{\"code\":\"\",\"kind\":5}",
                "Invalid kind: 5 (through reference chain: org.apache.livy.ExecuteRequest[\"kind\"]); the kinds are spark, pyspark, pyspark3, sparkr and sql",
            ),
            (
                "{\"cod\":\"\"}",
                "Unrecognized field \"cod\" (class org.apache.livy.ExecuteRequest), not marked as ignorable (3 known properties: \"code\", \"kind\", \"msg_type\") (through reference chain: org.apache.livy.ExecuteRequest[\"cod\"]); did you mean \"code\"?",
            ),
        ] {
            assert_eq!(read(text), Err(expected.to_owned()), "{text}");
        }
    }
}
