//! Durable deliveries of notices to webhooks.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::StoreError;

/// A notice that has not reached its webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its name, the same in every attempt.
    pub id: String,
    /// The URL of the webhook.
    pub url: String,
    /// Its host and port.
    pub host: String,
    /// The notice, as JSON.
    pub notice: String,
    /// The number of attempts that failed.
    pub attempts: u32,
    /// When the first of them was made.
    pub first_attempt_at: Option<Timestamp>,
}

/// How much the store has of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebhookCounts {
    /// Webhooks of sessions, statements and batches that have not ended.
    pub asked: u64,
    /// Notices that have not reached their webhooks.
    pub waiting: u64,
}

/// Stores deliveries. Each call is one transaction.
///
/// The call that creates a session, statement or batch stores its webhook. The update that stores
/// the end puts a delivery in place of the webhook, in one transaction: no crash separates an end
/// from its delivery. A delivery stays when its session, statement or batch is deleted.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// Reads some of the deliveries that are due, the longest due first. Those to busy hosts are
    /// left out.
    async fn due_deliveries(
        &self,
        now: Timestamp,
        busy: &[String],
        limit: u64,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Stores that an attempt failed, why, and when the next is due. A delivery that is gone stays
    /// gone.
    async fn retry_delivery(
        &self,
        id: &str,
        attempted_at: Timestamp,
        due_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError>;

    /// Deletes a delivery: its notice has arrived, or never will. False if it is gone.
    async fn delete_delivery(&self, id: &str) -> Result<bool, StoreError>;

    /// Counts webhooks and deliveries.
    async fn count_webhooks(&self) -> Result<WebhookCounts, StoreError>;
}
