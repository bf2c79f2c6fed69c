//! Durable state behind traits: [`Store`] for sessions with their statements, and with [`JobStore`] and [`ResourceStore`] for their jobs and the
//! files added to them; [`BatchStore`] for batches.
//!
//! Purpose: what was acknowledged survives `kill -9`. Non-goals: deciding anything, or knowing what clients see.
//! The implementations are crates of their own; every one passes the `conformance` suite.

#![warn(missing_docs)]

mod batches;
#[cfg(feature = "testing")]
pub mod conformance;
mod jobs;

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{Kind, SessionId, SessionRecord, SessionRequest, StatementId, StatementRecord};

pub use batches::{BatchStore, NewBatch};
pub use jobs::{JobStore, NewResource, ResourceStore, StoredJob};

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

/// A statement's output, one JSON document, or a job's result in base64: in pieces that are put together by appending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// There is none.
    None,
    /// It is short: here it is.
    Inline(String),
    /// It is long: read it piece by piece with [`Store::output_chunk`], or [`JobStore::job_chunk`].
    Chunked {
        /// How many pieces.
        chunks: u32,
        /// The length of all of them, in bytes.
        bytes: u64,
    },
}

/// A statement with its output.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStatement {
    /// All but the output.
    pub record: StatementRecord,
    /// The output.
    pub output: Output,
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

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A listed session that has not ended has that name already, or a batch where a batch was to be created.
    #[error("duplicate name: {name}")]
    DuplicateName {
        /// The name.
        name: String,
        /// The number that the new one would have had: it is used up.
        attempted: i32,
    },
    /// The database refused, or could not be reached.
    #[error("{operation}")]
    Database {
        /// What was being done, as in "failed to …".
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored row cannot be read.
    #[error("read {what}: not what this version writes")]
    Corrupt {
        /// Which row.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Everything durable about sessions. Each call is one transaction: done whole, or not at all.
#[async_trait]
pub trait Store: JobStore + ResourceStore {
    /// Gives a session its number and stores it in its first state. Numbers only grow and are used up even by a refusal.
    async fn create_session(&self, new: NewSession) -> Result<SessionRecord, StoreError>;

    /// Stores everything of the record that can change.
    async fn update_session(&self, record: &SessionRecord) -> Result<(), StoreError>;

    /// A listed session.
    async fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, StoreError>;

    /// A listed session by name: the one that has not ended, else the newest.
    async fn session_named(&self, name: &str) -> Result<Option<SessionRecord>, StoreError>;

    /// How many sessions are listed, and those in the window, by number. Rows that cannot be read are counted, and left out.
    async fn list_sessions(&self, window: Window) -> Result<(u64, Vec<SessionRecord>), StoreError>;

    /// Every session that has not ended, listed or not: what a starting server must take up again. Rows that cannot be read are left out.
    async fn unended_sessions(&self) -> Result<Vec<SessionRecord>, StoreError>;

    /// Takes a session off the list. Its rows stay, as history, until [`Store::purge`].
    async fn unlist_session(&self, id: SessionId) -> Result<bool, StoreError>;

    /// Deletes ended sessions, with all they have, that ended before `ended_before` or are in excess of `keep` (oldest first). Answers
    /// those that could be read, by number: their directories are to follow.
    async fn purge(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<SessionRecord>, StoreError>;

    /// Gives a statement its number and stores it as waiting.
    async fn create_statement(
        &self,
        session: SessionId,
        kind: Kind,
        code: &str,
    ) -> Result<StatementRecord, StoreError>;

    /// Stores a statement's state, and with it its output if there is one to be stored now.
    async fn update_statement(
        &self,
        record: &StatementRecord,
        output: Option<&str>,
    ) -> Result<(), StoreError>;

    /// Stores piece `index` of a long output. The same piece again changes nothing.
    async fn put_output_chunk(
        &self,
        session: SessionId,
        statement: StatementId,
        index: u32,
        text: &str,
    ) -> Result<(), StoreError>;

    /// A piece of a long output.
    async fn output_chunk(
        &self,
        session: SessionId,
        statement: StatementId,
        index: u32,
    ) -> Result<Option<String>, StoreError>;

    /// One statement.
    async fn statement(
        &self,
        session: SessionId,
        id: StatementId,
    ) -> Result<Option<StoredStatement>, StoreError>;

    /// How many statements are kept, and those in the window, by number. Rows that cannot be read are counted, and left out.
    async fn list_statements(
        &self,
        session: SessionId,
        window: Window,
    ) -> Result<(u64, Vec<StoredStatement>), StoreError>;

    /// The statements that are not over, in order. Rows that cannot be read are left out.
    async fn unfinished_statements(
        &self,
        session: SessionId,
    ) -> Result<Vec<StatementRecord>, StoreError>;

    /// Deletes finished statements in excess of `keep`, oldest first.
    async fn trim_statements(&self, session: SessionId, keep: u64) -> Result<(), StoreError>;
}
