//! Failed requests.

use reqwest::StatusCode;
use serde_json::Value;

use crate::text::escaped_lines;

/// The longest part of a response that is shown.
const LONGEST: usize = 4_000;

/// A failed or refused request.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The HTTP client cannot be created.
    #[error("cannot make a client")]
    Setup(#[source] reqwest::Error),
    /// There is no connection. The reason is only the last cause; the ones in between do not help a
    /// reader.
    #[error("cannot reach the server at {base}: {reason}")]
    Unreachable {
        /// The server.
        base: String,
        /// The reason.
        reason: String,
    },
    /// The connection broke before the whole answer came, so the server may have done the request.
    #[error("the connection to {base} broke before the answer came: {reason}")]
    Lost {
        /// The server.
        base: String,
        /// The reason.
        reason: String,
    },
    /// The request timed out.
    #[error("the server at {base} did not answer in time")]
    TimedOut {
        /// The server.
        base: String,
    },
    /// The server refused the request.
    #[error("{text} (the server answered {})", status.as_u16())]
    Refused {
        /// The status.
        status: StatusCode,
        /// The message in the response.
        text: String,
    },
    /// The response is not one of Livy's.
    #[error("{base} does not look like a Livy server: {path} answered {text}")]
    Foreign {
        /// The server.
        base: String,
        /// The path of the request.
        path: String,
        /// The start of the response.
        text: String,
    },
    /// The text cannot name a session or batch.
    #[error("{text:?} is not the id or name of a session or batch")]
    Name {
        /// The text.
        text: String,
    },
    /// The session has ended, or is ending.
    #[error("session {id} is {state}")]
    Ended {
        /// The session.
        id: i64,
        /// Its state.
        state: String,
        /// The end of its log.
        log: Vec<String>,
    },
}

impl ClientError {
    /// Reads the message of a refusal: Livy's `{"msg": …}`, its bare JSON strings, and the HTML
    /// pages of a proxy.
    pub fn refused(status: StatusCode, body: &str, reason: Option<&str>) -> Self {
        let mut text = words(body)
            .filter(|text| !text.trim().is_empty())
            .unwrap_or_else(|| status.canonical_reason().unwrap_or("refused").to_owned());
        if let Some(reason) = reason.filter(|reason| !text.contains(reason)) {
            text = format!("{text}: {reason}");
        }
        let text: String = text.trim().chars().take(LONGEST).collect();
        Self::Refused {
            status,
            text: escaped_lines(&text),
        }
    }

    /// Tells whether the session, batch, statement or route does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::NOT_FOUND)
    }

    /// Tells whether the server may have done the request.
    pub(crate) fn leaves_open(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::TimedOut { .. })
    }

    /// Tells whether another request with the same key is being worked on.
    pub(crate) fn is_in_progress(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::CONFLICT)
    }

    /// Tells whether a retry may succeed.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::TimedOut { .. } => true,
            Self::Refused { status, .. } => [429, 502, 503, 504].contains(&status.as_u16()),
            Self::Setup(_) | Self::Foreign { .. } | Self::Name { .. } | Self::Ended { .. } => false,
        }
    }
}

fn words(body: &str) -> Option<String> {
    match serde_json::from_str(body) {
        Ok(Value::String(text)) => Some(text),
        Ok(Value::Object(object)) => ["msg", "message", "error"]
            .iter()
            .find_map(|key| object.get(*key)?.as_str().map(str::to_owned)),
        Ok(_) => None,
        Err(_) if body.trim_start().starts_with('<') => title(body).map(str::to_owned),
        Err(_) => Some(body.to_owned()),
    }
}

/// The title of an HTML page.
fn title(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<title>")?;
    Some(rest.split_once("</title>")?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_in_the_servers_words() {
        let page = "<html><head><title>Error 400 Missing Required Header for CSRF protection.</title></head></html>";
        let cases = [
            (
                404,
                r#"{"msg":"Session '5' not found."}"#,
                None,
                "Session '5' not found.",
            ),
            (
                500,
                r#""java.lang.X: boom\n\tat y""#,
                None,
                "java.lang.X: boom\n\tat y",
            ),
            (
                400,
                page,
                None,
                "Error 400 Missing Required Header for CSRF protection.",
            ),
            (403, "{}", None, "Forbidden"),
            (404, "", None, "Not Found"),
            (502, "plain \u{1b}[31mwords", None, "plain \\u{1b}[31mwords"),
            (
                500,
                r#""Session is in state dead""#,
                Some("it ran out of memory"),
                "Session is in state dead: it ran out of memory",
            ),
            (500, r#""dead: why""#, Some("why"), "dead: why"),
        ];
        for (status, body, reason, expected) in cases {
            let status = StatusCode::from_u16(status).unwrap();
            let error = ClientError::refused(status, body, reason);
            let told = format!("{expected} (the server answered {})", status.as_u16());
            assert_eq!(error.to_string(), told);
            assert_eq!(error.is_not_found(), status.as_u16() == 404);
            assert_eq!(error.may_pass(), status.as_u16() == 502);
        }
    }
}
