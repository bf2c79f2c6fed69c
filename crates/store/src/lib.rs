//! Durable state behind traits: one per kind of record, and [`Store`] for all of them.
//!
//! What was acknowledged survives `kill -9`. A store decides nothing and knows no client. The
//! implementations are crates of their own; every one passes the `conformance` suite.

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
pub use drivers::DriverStore;
pub use error::StoreError;
#[cfg(feature = "testing")]
pub use faulty::Faulty;
pub use jobs::{JobStore, StoredJob};
pub use pieces::{Output, PieceStore, PiecesOf};
pub use resources::{NewResource, ResourceStore};
pub use sessions::{NewSession, SessionStore};
pub use statements::{StatementStore, StoredStatement};

/// Stores everything. One object implements all traits, so that a transaction can span them.
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

/// Which rows a list may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible<'a> {
    /// Everything.
    All,
    /// Only the rows that this user owns.
    Of(&'a str),
}

/// A record that has not ended, listed or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Unended<R> {
    /// The record.
    pub record: R,
    /// Whether it is on its list. An unlisted one was deleted or refused, and is to end.
    pub listed: bool,
}

/// A window of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many rows to leave out first.
    pub offset: u64,
    /// How many rows at most.
    pub limit: u64,
    /// Newest first.
    pub descending: bool,
}
