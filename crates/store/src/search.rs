//! Searches among the listed sessions or batches.

use jiff::Timestamp;
use livius_domain::Kind;

/// What a search wants: the rows that match everything that is given, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Search<'a> {
    /// The names of their states, such as `running` or `failed`, as the states in `domain` name
    /// themselves.
    pub states: Option<&'a [&'a str]>,
    /// The user that created them.
    pub owner: Option<&'a str>,
    /// The kind of sessions. No batch has one.
    pub kind: Option<Kind>,
    /// Their name.
    pub name: Option<&'a str>,
    /// The earliest time of their requests.
    pub since: Option<Timestamp>,
    /// The caller and the key whose request made it.
    pub key: Option<(&'a str, &'a str)>,
    /// Only numbers below this one, whether it is there or not. A reader that goes on this way
    /// skips no row and repeats none while others come and go.
    pub before: Option<i32>,
    /// The greatest number of rows.
    pub limit: u64,
}

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The number of all rows that match, whatever `before` and `limit` are.
    pub total: u64,
    /// The readable rows, newest first.
    pub records: Vec<T>,
    /// The number of the last row, if older ones match. The next search goes on before it.
    pub next: Option<i32>,
}
