//! Durable statements.

use async_trait::async_trait;
use livius_domain::{Kind, SessionId, StatementId, StatementRecord, Webhook};

use crate::{NewKey, Output, Part, StoreError, Window};

/// A statement with its output.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStatement {
    /// The statement without its output.
    pub record: StatementRecord,
    /// The output.
    pub output: Output,
}

/// Stores statements. Each call is one transaction: it is done whole or not at all.
#[async_trait]
pub trait StatementStore: Send + Sync {
    /// Gives a statement its number and stores it as waiting. Statements are numbered from 0 in
    /// each session.
    async fn create_statement(
        &self,
        session: SessionId,
        kind: Kind,
        code: &str,
        key: Option<&NewKey>,
        webhook: Option<&Webhook>,
    ) -> Result<StatementRecord, StoreError>;

    /// Stores a statement's state, and its output if one is given. The record must have the version
    /// of the row. If the statement is over, the same transaction stores the delivery to its webhook.
    async fn update_statement(
        &self,
        record: &mut StatementRecord,
        output: Option<&str>,
    ) -> Result<(), StoreError>;

    /// Reads a statement.
    async fn statement(
        &self,
        session: SessionId,
        id: StatementId,
    ) -> Result<Option<StoredStatement>, StoreError>;

    /// Reads the session's statements in the window, by number. A window ends early when its
    /// statements have some megabytes of text. Unreadable rows are counted and left out.
    async fn list_statements(
        &self,
        session: SessionId,
        window: Window,
    ) -> Result<Part<StoredStatement>, StoreError>;

    /// Reads the statements that are not over, in order. Unreadable rows are left out.
    async fn unfinished_statements(
        &self,
        session: SessionId,
    ) -> Result<Vec<StatementRecord>, StoreError>;

    /// Keeps the newest `keep` finished statements, and deletes the other finished ones. Readers see
    /// all of them or none. This is more than one transaction, as the rows may be long.
    async fn trim_statements(&self, session: SessionId, keep: u64) -> Result<(), StoreError>;
}
