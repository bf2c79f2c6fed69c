//! The interpreters of a driver.

use jiff::Timestamp;

use crate::Kind;

/// An interpreter that is up in a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interpreter {
    /// The language of its code.
    pub kind: Kind,
    /// When its start began.
    pub since: Timestamp,
}
