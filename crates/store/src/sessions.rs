//! Durable sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{SessionId, SessionRecord, SessionRequest, Webhook};

use crate::{Found, NewKey, Part, Search, SessionSummary, StoreError, Unended, Visible, Window};

/// A session before it has a number.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The client's request.
    pub request: SessionRequest,
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

/// Stores sessions. Each call is one transaction: it is done whole or not at all.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Gives a session its number and stores it in its first state. Numbers only grow. A refused
    /// session uses its number up, except when its key is taken.
    async fn create_session(&self, new: NewSession) -> Result<SessionRecord, StoreError>;

    /// Stores everything of the record that can change, if the record has the version of the row.
    /// See [`StoreError::Conflict`]. The request changes at the end only: its secrets are removed
    /// then, and the store erases what it had of them. The same transaction stores the delivery to
    /// the webhook of the session: see [`WebhookStore`](crate::WebhookStore).
    async fn update_session(&self, record: &mut SessionRecord) -> Result<(), StoreError>;

    /// Reads a listed session.
    async fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, StoreError>;

    /// Reads a listed session by name: the one that has not ended, else the newest.
    async fn session_named(&self, name: &str) -> Result<Option<SessionRecord>, StoreError>;

    /// Reads those of some sessions that are listed, by number. The caller bounds how many it names.
    /// Unreadable rows are left out.
    async fn session_summaries(&self, ids: &[SessionId])
    -> Result<Vec<SessionSummary>, StoreError>;

    /// Reads the listed sessions in the window, by number. A window ends early when its sessions
    /// have some megabytes of text. Unreadable rows are counted and left out.
    async fn list_sessions(
        &self,
        visible: Visible<'_>,
        window: Window,
    ) -> Result<Part<SessionRecord>, StoreError>;

    /// Searches the listed sessions. What is found ends early, as a window does. Unreadable rows are
    /// counted and left out.
    async fn search_sessions(
        &self,
        visible: Visible<'_>,
        search: Search<'_>,
    ) -> Result<Found<SessionRecord>, StoreError>;

    /// Reads every session that has not ended, listed or not. A starting server takes them up
    /// again. Unreadable rows are left out.
    async fn unended_sessions(&self) -> Result<Vec<Unended<SessionRecord>>, StoreError>;

    /// Takes a session off the list. Its rows stay until [`SessionStore::purge_sessions`] deletes
    /// them.
    async fn unlist_session(&self, id: SessionId) -> Result<bool, StoreError>;

    /// Deletes ended sessions that ended before `ended_before`, and the oldest ones in excess of
    /// `keep`, with everything that belongs to them. Answers the readable ones by number, as the
    /// caller deletes their directories. One call deletes a part; the caller calls until the answer
    /// is empty. Unlike other calls this one is more than one transaction: it takes the sessions
    /// off the list, then deletes their statements and jobs, then the sessions.
    async fn purge_sessions(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<SessionRecord>, StoreError>;
}
