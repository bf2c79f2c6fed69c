//! Why a form cannot be read.

use crate::request::rejection::Rejection;

/// Why a body is not read on.
#[derive(Debug)]
pub enum MultipartError {
    /// It cannot be received.
    Source(Rejection),
    /// It ends before its last boundary.
    Incomplete,
    /// It is not what it says it is.
    Malformed(&'static str),
    /// There is too much in it that nobody wants.
    TooMuch,
}
