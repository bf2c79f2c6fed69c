//! Why a request cannot be read.

/// A request that cannot be served as it is, in words for its sender. The variant decides the envelope that Livy uses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is not the JSON that is wanted. Livy answers these with a bare JSON string.
    #[error("{0}")]
    Json(String),
    /// The body was understood and is refused. Livy answers these with an object whose `msg` is the text.
    #[error("{0}")]
    Refused(String),
}

/// How much of a sender's own text an error repeats.
const SHOWN_CHARS: usize = 200;

/// The beginning of a text, for error messages.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
