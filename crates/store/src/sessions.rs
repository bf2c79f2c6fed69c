//! Durable sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{SessionId, SessionRecord, SessionRequest};

use crate::{StoreError, Unended, Visible, Window};

/// What is known of a session before it has a number.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// What was asked for.
    pub request: SessionRequest,
    /// The authenticated user.
    pub owner: Option<String>,
    /// The user it is to run as.
    pub proxy_user: Option<String>,
    /// The time of asking.
    pub created_at: Timestamp,
}

/// Everything durable about sessions. Each call is one transaction: done whole, or not at all.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Gives a session its number and stores it in its first state. Numbers only grow and are used up even by a refusal.
    async fn create_session(&self, new: NewSession) -> Result<SessionRecord, StoreError>;

    /// Stores everything of the record that can change. Refuses a stale version, see [`StoreError::Conflict`].
    async fn update_session(&self, record: &mut SessionRecord) -> Result<(), StoreError>;

    /// A listed session.
    async fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, StoreError>;

    /// A listed session by name: the one that has not ended, else the newest.
    async fn session_named(&self, name: &str) -> Result<Option<SessionRecord>, StoreError>;

    /// How many sessions are listed, and those in the window, by number. Rows that cannot be read are counted, and left out.
    async fn list_sessions(
        &self,
        visible: Visible<'_>,
        window: Window,
    ) -> Result<(u64, Vec<SessionRecord>), StoreError>;

    /// Every session that has not ended, listed or not: what a starting server must take up again. Rows that cannot be read are left out.
    async fn unended_sessions(&self) -> Result<Vec<Unended<SessionRecord>>, StoreError>;

    /// Takes a session off the list. Its rows stay, as history, until [`SessionStore::purge_sessions`].
    async fn unlist_session(&self, id: SessionId) -> Result<bool, StoreError>;

    /// Deletes ended sessions, with all they have, that ended before `ended_before` or are in excess
    /// of `keep` (oldest first). Answers those that could be read, by number: their directories are
    /// to follow. One call deletes a part and the next call another, until there is nothing left to
    /// delete. This call alone may be more than one transaction: a session that is to be deleted
    /// leaves the list first, and its long texts may go before it does.
    async fn purge_sessions(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<SessionRecord>, StoreError>;
}
