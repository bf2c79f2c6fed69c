//! The kinds of things that a caller may do.

use std::fmt;

/// An action of a caller on a session or a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Create it.
    Create,
    /// See it, its work and its log.
    Read,
    /// Use it, stop it or delete it.
    Change,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Change => "change",
        })
    }
}
