//! Durable batches.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{BatchId, BatchRecord, BatchRequest};

use crate::{StoreError, Unended, Visible, Window};

/// What is known of a batch before it has a number.
#[derive(Debug, Clone)]
pub struct NewBatch {
    /// What was asked for.
    pub request: BatchRequest,
    /// The authenticated user.
    pub owner: Option<String>,
    /// The user it is to run as.
    pub proxy_user: Option<String>,
    /// The time of asking.
    pub created_at: Timestamp,
}

/// Everything durable about batches; they are numbered and named apart from sessions. Each call is one transaction: done whole, or not at
/// all. For the store a batch has ended when its times say when.
#[async_trait]
pub trait BatchStore: Send + Sync {
    /// Gives a batch its number and stores it in its first state. Numbers only grow and are used up even by a refusal.
    async fn create_batch(&self, new: NewBatch) -> Result<BatchRecord, StoreError>;

    /// Stores everything of the record that can change: all but the number, the request and the owner.
    async fn update_batch(&self, record: &mut BatchRecord) -> Result<(), StoreError>;

    /// A listed batch.
    async fn batch(&self, id: BatchId) -> Result<Option<BatchRecord>, StoreError>;

    /// A listed batch by name: the one that has not ended, else the newest.
    async fn batch_named(&self, name: &str) -> Result<Option<BatchRecord>, StoreError>;

    /// How many batches are listed, and those in the window, by number. Rows that cannot be read are counted, and left out.
    async fn list_batches(
        &self,
        visible: Visible<'_>,
        window: Window,
    ) -> Result<(u64, Vec<BatchRecord>), StoreError>;

    /// Every batch that has not ended, listed or not, by number: what a starting server must take up again. Rows that cannot be read are
    /// left out.
    async fn unended_batches(&self) -> Result<Vec<Unended<BatchRecord>>, StoreError>;

    /// Takes a batch off the list. Its row stays, as history, until [`BatchStore::purge_batches`].
    async fn unlist_batch(&self, id: BatchId) -> Result<bool, StoreError>;

    /// Deletes ended batches, listed or not, that ended before `ended_before` or are in excess of `keep` (oldest first). Answers those that
    /// could be read, by number: their directories are to follow. Where they are very many, a part goes now and another with the next call.
    async fn purge_batches(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<BatchRecord>, StoreError>;
}
