//! What Livy has and Livius does not: said in words, where any other unknown path gets Livy's empty answer.

use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use crate::error::ApiError;

/// Answers for a path that no route has.
pub async fn unrouted(uri: Uri) -> Response {
    match missing(uri.path()) {
        Some(message) => ApiError::not_yet(message).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn missing(path: &str) -> Option<&'static str> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments[..] {
        ["sessions", _, "submit-job" | "run-job"]
        | ["sessions", _, "jobs", _]
        | ["sessions", _, "jobs", _, "cancel"] => Some(
            "The job API is not there yet: send the code as statements (POST /sessions/{id}/statements)",
        ),
        [
            "sessions",
            _,
            "add-jar" | "add-pyfile" | "add-file" | "upload-jar" | "upload-pyfile" | "upload-file",
        ] => Some(
            "Adding files to a running session is not there yet: name them in \"jars\", \"pyFiles\" or \"files\" of POST /sessions",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_livy_has_is_spoken_of() {
        for (path, words) in [
            ("/batches/0/foo", None),
            ("/sessions/0/submit-job", Some("The job API")),
            ("/sessions/0/jobs/1", Some("The job API")),
            ("/sessions/0/jobs/1/cancel", Some("The job API")),
            ("/sessions/0/upload-jar", Some("Adding files")),
            ("/sessions/0/add-pyfile", Some("Adding files")),
            ("/sessions/0/upload-cat", None),
            ("/", None),
        ] {
            let message = missing(path);
            assert_eq!(message.is_some(), words.is_some(), "{path}");
            if let (Some(message), Some(words)) = (message, words) {
                assert!(message.starts_with(words), "{path}: {message}");
                assert!(message.contains(" is not there yet: "), "{message}");
            }
        }
    }
}
