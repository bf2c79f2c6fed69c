//! Durable statements.

use async_trait::async_trait;
use livius_domain::{Kind, SessionId, StatementId, StatementRecord};

use crate::{Output, StoreError, Window};

/// A statement with its output.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStatement {
    /// All but the output.
    pub record: StatementRecord,
    /// The output.
    pub output: Output,
}

/// Everything durable about statements. Each call is one transaction: done whole, or not at all.
#[async_trait]
pub trait StatementStore: Send + Sync {
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
        record: &mut StatementRecord,
        output: Option<&str>,
    ) -> Result<(), StoreError>;

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
