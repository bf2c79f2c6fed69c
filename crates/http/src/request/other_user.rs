//! A connection of another user of the server's machine.

use std::fmt;

/// The user from whose program a connection comes, when that user may not use the server. The one
/// that accepts connections puts it into their requests. Agents are let in all the same: they prove
/// who they are, and may run as other users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherUser(Option<u32>);

impl OtherUser {
    /// This user.
    pub fn known(uid: u32) -> Self {
        Self(Some(uid))
    }

    /// The system does not tell: it cannot, or the program has hung up already.
    pub fn unknown() -> Self {
        Self(None)
    }
}

impl fmt::Display for OtherUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(uid) => write!(f, "the user {uid} of this machine"),
            None => f.write_str("an unknown user of this machine"),
        }
    }
}
