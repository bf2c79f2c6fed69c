//! Durable batches.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{BatchId, BatchRecord, BatchRequest, Webhook};

use crate::{BatchSummary, Found, NewKey, Part, Search, StoreError, Unended, Visible, Window};

/// A batch before it has a number.
#[derive(Debug, Clone)]
pub struct NewBatch {
    /// The client's request.
    pub request: BatchRequest,
    /// The authenticated user.
    pub owner: Option<String>,
    /// The user that Spark is to run as.
    pub proxy_user: Option<String>,
    /// The time of the request.
    pub created_at: Timestamp,
    /// The key of the request.
    pub key: Option<NewKey>,
    /// The place that is to be told of its end.
    pub webhook: Option<Webhook>,
}

/// Stores batches. Batches and sessions do not share numbers and names. Each call is one
/// transaction: it is done whole or not at all. A batch has ended for the store when its times say
/// when.
#[async_trait]
pub trait BatchStore: Send + Sync {
    /// Gives a batch its number and stores it in its first state. Numbers only grow. A refused
    /// batch uses its number up, except when its key is taken.
    async fn create_batch(&self, new: NewBatch) -> Result<BatchRecord, StoreError>;

    /// Stores everything of the record that can change: all but the number and the owner. The record
    /// must have the version of the row. The request changes at the end only: its secrets are removed
    /// then, and the store erases what it had of them. The same transaction stores the delivery to
    /// the webhook of the batch.
    async fn update_batch(&self, record: &mut BatchRecord) -> Result<(), StoreError>;

    /// Reads a listed batch.
    async fn batch(&self, id: BatchId) -> Result<Option<BatchRecord>, StoreError>;

    /// Reads a listed batch by name: the one that has not ended, else the newest.
    async fn batch_named(&self, name: &str) -> Result<Option<BatchRecord>, StoreError>;

    /// Reads those of some batches that are listed, by number. The caller bounds how many it names.
    /// Unreadable rows are left out.
    async fn batch_summaries(&self, ids: &[BatchId]) -> Result<Vec<BatchSummary>, StoreError>;

    /// Counts the listed batches and reads those in the window, by number. Unreadable rows are
    /// counted and left out.
    async fn list_batches(
        &self,
        visible: Visible<'_>,
        window: Window,
    ) -> Result<Part<BatchRecord>, StoreError>;

    /// Searches the listed batches. What is found ends early, as a window does. Unreadable rows are
    /// counted and left out.
    async fn search_batches(
        &self,
        visible: Visible<'_>,
        search: Search<'_>,
    ) -> Result<Found<BatchRecord>, StoreError>;

    /// Reads every batch that has not ended, listed or not, by number. A starting server takes them
    /// up again. Unreadable rows are left out.
    async fn unended_batches(&self) -> Result<Vec<Unended<BatchRecord>>, StoreError>;

    /// Takes a batch off the list. Its row stays until [`BatchStore::purge_batches`] deletes it.
    async fn unlist_batch(&self, id: BatchId) -> Result<bool, StoreError>;

    /// Deletes ended batches, listed or not, that ended before `ended_before`, and the oldest ones
    /// in excess of `keep`. Answers the readable ones by number, as the caller deletes their
    /// directories. One call deletes a part; the caller calls until the answer is empty.
    async fn purge_batches(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<BatchRecord>, StoreError>;
}
