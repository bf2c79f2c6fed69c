//! The future of a session or a batch: its place in the queue, and the end of its time.

use jiff::Timestamp;

use crate::StopCause;

/// The place of a driver among those that wait for their start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// Counting from 1, which starts next.
    pub position: usize,
    /// The number of drivers that wait.
    pub length: usize,
}

/// The time at which the server ends a session, if nothing changes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// When.
    pub at: Timestamp,
    /// The timeout that ends it.
    pub cause: StopCause,
}
