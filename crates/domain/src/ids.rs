//! Typed ids. Sessions, statements and batches have Livy's integers; drivers have names of our own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hex::hex;

/// A session's number: unique for the life of the store, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub i32);

/// A statement's number within its session, counting from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementId(pub i32);

/// A job's number within its session, counting from 1 as with Livy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i32);

/// The number of a file that was added to a session, counting from 1 within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(pub i32);

/// A batch's number: unique for the life of the store, never used again. Batches are counted apart
/// from sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(pub i32);

/// A driver's name: `s-<session>-<12 hex digits>`, or `b-<batch>-<12 hex digits>`. Safe as a file
/// name and as a header value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DriverId(String);

impl DriverId {
    /// Names the driver of a session; `random` tells apart several drivers of one session.
    pub fn for_session(session: SessionId, random: [u8; 6]) -> Self {
        Self(format!("s-{session}-{}", hex(&random)))
    }

    /// Names the driver of a batch.
    pub fn for_batch(batch: BatchId, random: [u8; 6]) -> Self {
        Self(format!("b-{batch}-{}", hex(&random)))
    }

    /// Names a driver of a pool. It keeps the name when a session takes it.
    pub fn for_pool(random: [u8; 6]) -> Self {
        Self(format!("p-{}", hex(&random)))
    }

    /// Takes a name from outside, or `None` when no driver could be called that.
    pub fn parse(text: &str) -> Option<Self> {
        let shape = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (!text.is_empty() && text.len() <= 64 && text.chars().all(shape))
            .then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DriverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_id_reads_back_what_it_wrote_and_nothing_dangerous() {
        let id = DriverId::for_session(SessionId(7), [0, 1, 2, 0xfd, 0xfe, 0xff]);
        assert_eq!(id.as_str(), "s-7-000102fdfeff");
        assert_eq!(DriverId::parse(id.as_str()), Some(id));
        let id = DriverId::for_batch(BatchId(7), [0; 6]);
        assert_eq!(id.as_str(), "b-7-000000000000");
        assert_eq!(DriverId::parse(id.as_str()), Some(id));
        let id = DriverId::for_pool([1; 6]);
        assert_eq!(id.as_str(), "p-010101010101");
        assert_eq!(DriverId::parse(id.as_str()), Some(id));
        for bad in ["", "../x", "s/1", "S-1", "s 1", &"a".repeat(65)] {
            assert_eq!(DriverId::parse(bad), None, "{bad:?}");
        }
    }
}
