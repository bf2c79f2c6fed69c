//! The reasons why a request cannot be read.

/// The reason why a request is refused, in words for the client. The variant decides the shape of
/// Livy's response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is not the expected JSON. Livy answers with a bare JSON string.
    #[error("{0}")]
    Json(String),
    /// The body is well-formed but refused. Livy answers with an object whose `msg` is the text.
    #[error("{0}")]
    Refused(String),
}

/// The length of the client's own text that an error repeats.
const SHOWN_CHARS: usize = 200;

/// Returns the beginning of a text, for error messages.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
