//! Connections beyond the limit.

/// Marks the requests of a connection for which the server has no place. The one that accepts
/// connections puts it into their requests. Only agents are served there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowded;
