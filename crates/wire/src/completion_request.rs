//! `POST /sessions/{id}/completion`.

use livius_domain::Kind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::RequestError;
use crate::field::Field;
use crate::json::{ReadOptions, Shape};
use crate::statement_request::{optional_kind, required_code};

const SHAPE: Shape<4> = Shape {
    class: "org.apache.livy.CompletionRequest",
    example: r#"{"code":"sc.par","cursor":6}"#,
    names: ["code", "kind", "cursor", "msg_type"],
};

/// The body of `POST /sessions/{id}/completion`, for the OpenAPI document.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CompletionBody {
    /// The code so far.
    pub code: String,
    /// Its language; by default the session's.
    pub kind: Option<String>,
    /// The position of the cursor, in UTF-16 units; 0 by default.
    pub cursor: Option<u32>,
}

/// A request for completions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionRequest {
    /// The code so far, exactly as sent, because the cursor counts in it.
    pub code: String,
    /// The language; `None` means the session's.
    pub kind: Option<Kind>,
    /// The position of the cursor, in UTF-16 units.
    pub cursor: u32,
}

/// Reads a request for completions from the text of a body.
pub fn read_completion(
    text: &str,
    options: ReadOptions,
) -> Result<CompletionRequest, RequestError> {
    let [code, kind, cursor, _] = SHAPE.read(text, options)?;
    let cursor = cursor
        .map(|raw| {
            Field {
                shape: &SHAPE,
                name: "cursor",
                raw,
            }
            .clipped()
        })
        .transpose()?;
    Ok(CompletionRequest {
        code: required_code(&SHAPE, code)?,
        kind: optional_kind(&SHAPE, kind)?,
        cursor: cursor.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_fields_are_read() {
        for (text, cursor) in [
            (r#"{"code":"a\r\nb","kind":"spark","cursor":3}"#, 3),
            (r#"{"code":"a\r\nb","kind":"spark","cursor":"3"}"#, 3),
            (r#"{"code":"a\r\nb","kind":"spark","cursor":-3}"#, 0),
            (r#"{"code":"a\r\nb","kind":"spark"}"#, 0),
        ] {
            let expected = CompletionRequest {
                code: "a\r\nb".to_owned(),
                kind: Some(Kind::Spark),
                cursor,
            };
            assert_eq!(
                read_completion(text, ReadOptions::default()),
                Ok(expected),
                "{text}"
            );
        }
        let read = |text| read_completion(text, ReadOptions::default());
        assert_eq!(
            read("{\"code\":\"\"}").map(|request| request.kind),
            Ok(None)
        );
        for bad in [
            "{}",
            "{\"code\":\"\",\"cursor\":\"x\"}",
            "{\"code\":\"\",\"kind\":\"x\"}",
            "{\"code\":\"\",\"x\":1}",
        ] {
            assert!(matches!(read(bad), Err(RequestError::Json(_))), "{bad}");
        }
    }
}
