//! Durable keys of requests, with which clients repeat a request that may have been done.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::Made;

use crate::StoreError;

/// The key of a request that is about to be done. The call that makes something for the request
/// takes it, and stores it in the same transaction: either both are there or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The caller. Keys of different callers are different keys.
    pub caller: String,
    /// The key as the client wrote it.
    pub key: String,
    /// The method and the path of the request.
    pub request: String,
    /// A hash of everything in the request that has to be the same in a repetition.
    pub fingerprint: [u8; 32],
    /// The time of the request.
    pub made_at: Timestamp,
}

/// A stored key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The method and the path of the request.
    pub request: String,
    /// The hash of the request.
    pub fingerprint: [u8; 32],
    /// The time of the request.
    pub made_at: Timestamp,
    /// What the request made; `None` when it only changed something.
    pub made: Option<Made>,
    /// The answer to the request, if it is kept.
    pub answer: Option<KeptAnswer>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// The header `Location`.
    pub location: Option<String>,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What may be kept of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBounds {
    /// Older keys go.
    pub made_before: Timestamp,
    /// The greatest number of keys. The oldest go first.
    pub keys: u64,
    /// The greatest length of all bodies of answers, in bytes. The oldest go first.
    pub answer_bytes: u64,
}

/// Stores the keys of requests. Each call is one transaction.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Reads a key of a caller.
    async fn key(&self, caller: &str, key: &str) -> Result<Option<KeyRecord>, StoreError>;

    /// Stores the answer to the request of a key. Stores the key, too, if the request made nothing
    /// that could have stored it. The first answer stays. An answer goes with the session or batch
    /// that the request made or belongs to; the key does not.
    async fn keep_answer(&self, key: &NewKey, answer: &KeptAnswer) -> Result<(), StoreError>;

    /// Deletes a key: what was made for it was refused afterwards.
    async fn free_key(&self, caller: &str, key: &str) -> Result<(), StoreError>;

    /// Takes a session or batch that was refused after it was stored off the list, and deletes the
    /// key that made it and its webhook.
    async fn withdraw(&self, made: Made) -> Result<(), StoreError>;

    /// Deletes keys and answers in excess of the bounds. An answer in excess takes its key with it
    /// if the request made nothing. One call deletes a part. Answers how many keys and answers it
    /// has deleted; the caller calls until that is 0.
    async fn purge_keys(&self, bounds: KeyBounds) -> Result<u64, StoreError>;
}
