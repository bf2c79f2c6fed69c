//! Durable state behind traits: one trait per kind of record, and [`Store`] for all of them.
//!
//! A write that was acknowledged survives `kill -9`. A store decides nothing and does not know what
//! clients see. Each implementation is a crate of its own and passes the `conformance` suite.

#![warn(missing_docs)]

mod batches;
#[cfg(feature = "testing")]
pub mod conformance;
mod drivers;
mod error;
#[cfg(feature = "testing")]
mod faulty;
mod jobs;
mod pieces;
mod resources;
mod sessions;
mod statements;

pub use batches::{BatchStore, NewBatch};
pub use drivers::{Claim, DriverStore};
pub use error::StoreError;
#[cfg(feature = "testing")]
pub use faulty::Faulty;
pub use jobs::{JobStore, StoredJob};
pub use pieces::{Output, PieceStore, PiecesOf};
pub use resources::{NewResource, ResourceStore};
pub use sessions::{NewSession, SessionStore};
pub use statements::{StatementStore, StoredStatement};

/// Stores everything. One object implements all traits.
pub trait Store:
    SessionStore + StatementStore + PieceStore + JobStore + ResourceStore + BatchStore + DriverStore
{
}

impl<T> Store for T where
    T: SessionStore
        + StatementStore
        + PieceStore
        + JobStore
        + ResourceStore
        + BatchStore
        + DriverStore
{
}

/// The rows that a list may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible<'a> {
    /// All rows.
    All,
    /// Only the rows that this user owns.
    Of(&'a str),
}

/// A record that has not ended, listed or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Unended<R> {
    /// The record.
    pub record: R,
    /// True if the record is on its list. An unlisted record was deleted or refused, and is to end.
    pub listed: bool,
}

/// A window of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The number of rows that are left out first.
    pub offset: u64,
    /// The greatest number of rows.
    pub limit: u64,
    /// True if the newest row comes first.
    pub descending: bool,
}
