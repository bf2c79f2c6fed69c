//! The reasons why a form cannot be read.

use crate::request::rejection::Rejection;

/// The reason why reading a form stopped.
#[derive(Debug)]
pub enum MultipartError {
    /// The body could not be received.
    Source(Rejection),
    /// The body ends before its last boundary.
    Incomplete,
    /// The body is not a well-formed form.
    Malformed(&'static str),
    /// The body has too much besides the wanted part.
    TooMuch,
}
