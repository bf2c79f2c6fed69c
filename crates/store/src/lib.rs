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
mod keys;
mod pieces;
mod resources;
mod search;
mod sessions;
mod statements;
mod summary;
mod webhooks;

pub use batches::{BatchStore, NewBatch};
pub use drivers::{Claim, DriverStore};
pub use error::StoreError;
#[cfg(feature = "testing")]
pub use faulty::Faulty;
pub use jobs::{JobStore, StoredJob};
pub use keys::{KeptAnswer, KeyBounds, KeyRecord, KeyStore, NewKey};
pub use pieces::{Output, PieceStore, PiecesOf};
pub use resources::{NewResource, ResourceStore};
pub use search::{Found, Search};
pub use sessions::{NewSession, SessionStore};
pub use statements::{StatementStore, StoredStatement};
pub use summary::{BatchSummary, SessionSummary, Summary};
pub use webhooks::{Delivery, WebhookCounts, WebhookStore};

/// Stores everything. One object implements all traits.
pub trait Store:
    SessionStore
    + StatementStore
    + PieceStore
    + JobStore
    + ResourceStore
    + BatchStore
    + DriverStore
    + KeyStore
    + WebhookStore
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
        + KeyStore
        + WebhookStore
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
    /// Where the window begins.
    pub start: Start,
    /// The greatest number of rows.
    pub limit: u64,
    /// True if the newest row comes first.
    pub descending: bool,
}

/// Where a window of a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After so many rows. Such a window costs more the later it begins.
    Offset(u64),
    /// After the row with this number, in the direction of the window, whether that row is still
    /// there or not. A reader that goes on this way skips no row and repeats none while others
    /// come and go.
    After(i32),
}

/// The part of a list that a window shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    /// The number of all rows of the list. A window that begins after a row does not count them:
    /// that would cost more than to read it.
    pub total: Option<u64>,
    /// The readable rows.
    pub records: Vec<T>,
    /// The number of rows in the window, readable or not.
    pub seen: u64,
    /// The number of the last row in the window. The next window begins after it.
    pub next: Option<i32>,
}

impl<T> Part<T> {
    /// Takes the records out, to put others in their place.
    pub fn split(self) -> (Part<()>, Vec<T>) {
        let rows = Part {
            total: self.total,
            records: Vec::new(),
            seen: self.seen,
            next: self.next,
        };
        (rows, self.records)
    }

    /// The same part with other records.
    pub fn with<U>(&self, records: Vec<U>) -> Part<U> {
        Part {
            total: self.total,
            records,
            seen: self.seen,
            next: self.next,
        }
    }

    /// The same part with each record converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Part<U> {
        let (rows, records) = self.split();
        rows.with(records.into_iter().map(convert).collect())
    }

    /// The number of all rows, and the rows.
    pub fn counted(self) -> (u64, Vec<T>) {
        (self.total.unwrap_or_default(), self.records)
    }
}
