//! The store in one SQLite file.
//!
//! One connection writes, a few read; in WAL mode neither waits for the other. A commit reaches the system's page cache before it
//! is answered, so it survives the end of the process; it reaches the disk at the next checkpoint.

mod batches;
mod counters;
mod job_results;
mod jobs;
mod listing;
mod lock;
#[cfg(test)]
mod measurements;
mod open;
mod outputs;
mod readers;
mod resources;
mod rows;
mod schema;
mod sessions;
mod statements;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{
    BatchId, BatchRecord, Kind, SessionId, SessionRecord, StatementId, StatementRecord,
};
use livius_store::{BatchStore, NewBatch, NewSession, Store, StoreError, StoredStatement, Window};
use tokio::sync::Mutex;

use lock::FileLock;
pub use open::OpenError;
use readers::Readers;
pub use schema::SchemaError;
use writer::Writer;

/// Keeps everything in one database file. Clones share it.
#[derive(Clone)]
pub struct SqliteStore {
    // In this order, as the lock must go last.
    writer: Arc<Mutex<Writer>>,
    readers: Arc<Readers>,
    _lock: Arc<FileLock>,
}

#[async_trait]
impl Store for SqliteStore {
    async fn create_session(&self, new: NewSession) -> Result<SessionRecord, StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = sessions::create(turn.connection(), new).await;
        turn.end(written)
    }

    async fn update_session(&self, record: &SessionRecord) -> Result<(), StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = sessions::update(turn.connection(), record).await;
        turn.end(written)
    }

    async fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
        sessions::by_id(&mut *self.readers.take().await, id).await
    }

    async fn session_named(&self, name: &str) -> Result<Option<SessionRecord>, StoreError> {
        sessions::by_name(&mut *self.readers.take().await, name).await
    }

    async fn list_sessions(&self, window: Window) -> Result<(u64, Vec<SessionRecord>), StoreError> {
        sessions::list(&mut *self.readers.take().await, window).await
    }

    async fn unended_sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        sessions::unended(&mut *self.readers.take().await).await
    }

    async fn unlist_session(&self, id: SessionId) -> Result<bool, StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = sessions::unlist(turn.connection(), id).await;
        turn.end(written)
    }

    async fn purge(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = sessions::purge(turn.connection(), ended_before, keep).await;
        turn.end(written)
    }

    async fn create_statement(
        &self,
        session: SessionId,
        kind: Kind,
        code: &str,
    ) -> Result<StatementRecord, StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = statements::create(turn.connection(), session, kind, code).await;
        turn.end(written)
    }

    async fn update_statement(
        &self,
        record: &StatementRecord,
        output: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = statements::update(turn.connection(), record, output).await;
        turn.end(written)
    }

    async fn put_output_chunk(
        &self,
        session: SessionId,
        statement: StatementId,
        index: u32,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = outputs::put(turn.connection(), session, statement, index, text).await;
        turn.end(written)
    }

    async fn output_chunk(
        &self,
        session: SessionId,
        statement: StatementId,
        index: u32,
    ) -> Result<Option<String>, StoreError> {
        outputs::get(&mut *self.readers.take().await, session, statement, index).await
    }

    async fn statement(
        &self,
        session: SessionId,
        id: StatementId,
    ) -> Result<Option<StoredStatement>, StoreError> {
        statements::by_id(&mut *self.readers.take().await, session, id).await
    }

    async fn list_statements(
        &self,
        session: SessionId,
        window: Window,
    ) -> Result<(u64, Vec<StoredStatement>), StoreError> {
        statements::list(&mut *self.readers.take().await, session, window).await
    }

    async fn unfinished_statements(
        &self,
        session: SessionId,
    ) -> Result<Vec<StatementRecord>, StoreError> {
        statements::unfinished(&mut *self.readers.take().await, session).await
    }

    async fn trim_statements(&self, session: SessionId, keep: u64) -> Result<(), StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = statements::trim(turn.connection(), session, keep).await;
        turn.end(written)
    }
}

#[async_trait]
impl BatchStore for SqliteStore {
    async fn create_batch(&self, new: NewBatch) -> Result<BatchRecord, StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = batches::create(turn.connection(), new).await;
        turn.end(written)
    }

    async fn update_batch(&self, record: &BatchRecord) -> Result<(), StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = batches::update(turn.connection(), record).await;
        turn.end(written)
    }

    async fn batch(&self, id: BatchId) -> Result<Option<BatchRecord>, StoreError> {
        batches::by_id(&mut *self.readers.take().await, id).await
    }

    async fn batch_named(&self, name: &str) -> Result<Option<BatchRecord>, StoreError> {
        batches::by_name(&mut *self.readers.take().await, name).await
    }

    async fn list_batches(&self, window: Window) -> Result<(u64, Vec<BatchRecord>), StoreError> {
        batches::list(&mut *self.readers.take().await, window).await
    }

    async fn unended_batches(&self) -> Result<Vec<BatchRecord>, StoreError> {
        batches::unended(&mut *self.readers.take().await).await
    }

    async fn unlist_batch(&self, id: BatchId) -> Result<bool, StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = batches::unlist(turn.connection(), id).await;
        turn.end(written)
    }

    async fn purge_batches(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<BatchRecord>, StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = batches::purge(turn.connection(), ended_before, keep).await;
        turn.end(written)
    }
}

/// Wraps what the database says into what was being done.
fn failed<E>(operation: &'static str) -> impl FnOnce(E) -> StoreError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |source| StoreError::Database {
        operation,
        source: source.into(),
    }
}

/// Refuses a change that changed nothing: its row is not there, and to answer as if it were stored would be a lie.
fn one_row(operation: &'static str, changed: u64) -> Result<(), StoreError> {
    if changed == 0 {
        Err(failed(operation)("no such row"))
    } else {
        Ok(())
    }
}
