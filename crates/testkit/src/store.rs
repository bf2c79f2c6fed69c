//! A store whose writes can be made to fail, as on a full disk.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{
    BatchId, BatchRecord, JobId, JobLanguage, JobRecord, Kind, ResourceRecord, SessionId,
    SessionRecord, StatementId, StatementRecord,
};
use livius_store::{
    BatchStore, JobStore, NewBatch, NewResource, NewSession, ResourceStore, Store, StoreError,
    StoredJob, StoredStatement, Window,
};
use livius_store_sqlite::SqliteStore;
use tokio::sync::watch;

/// The real store, with a switch.
pub struct FullDisk {
    store: SqliteStore,
    full: AtomicBool,
    held: watch::Sender<bool>,
}

impl FullDisk {
    /// With room left.
    pub fn new(store: SqliteStore) -> Self {
        Self {
            store,
            full: AtomicBool::new(false),
            held: watch::Sender::default(),
        }
    }

    /// Makes writes fail from now on, or succeed again.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Makes changes of batches wait from now on, until they may go on.
    pub fn hold_batches(&self, held: bool) {
        self.held.send_replace(held);
    }

    fn writable(&self) -> Result<&SqliteStore, StoreError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::Database {
                operation: "write",
                source: "the disk is full".into(),
            });
        }
        Ok(&self.store)
    }
}

#[async_trait]
impl Store for FullDisk {
    async fn create_session(&self, new: NewSession) -> Result<SessionRecord, StoreError> {
        self.writable()?.create_session(new).await
    }

    async fn update_session(&self, record: &SessionRecord) -> Result<(), StoreError> {
        self.writable()?.update_session(record).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.store.session(id).await
    }

    async fn session_named(&self, name: &str) -> Result<Option<SessionRecord>, StoreError> {
        self.store.session_named(name).await
    }

    async fn list_sessions(&self, window: Window) -> Result<(u64, Vec<SessionRecord>), StoreError> {
        self.store.list_sessions(window).await
    }

    async fn unended_sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.unended_sessions().await
    }

    async fn unlist_session(&self, id: SessionId) -> Result<bool, StoreError> {
        self.writable()?.unlist_session(id).await
    }

    async fn purge(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.writable()?.purge(ended_before, keep).await
    }

    async fn create_statement(
        &self,
        session: SessionId,
        kind: Kind,
        code: &str,
    ) -> Result<StatementRecord, StoreError> {
        self.writable()?.create_statement(session, kind, code).await
    }

    async fn update_statement(
        &self,
        record: &StatementRecord,
        output: Option<&str>,
    ) -> Result<(), StoreError> {
        self.writable()?.update_statement(record, output).await
    }

    async fn put_output_chunk(
        &self,
        session: SessionId,
        statement: StatementId,
        index: u32,
        text: &str,
    ) -> Result<(), StoreError> {
        let store = self.writable()?;
        store
            .put_output_chunk(session, statement, index, text)
            .await
    }

    async fn output_chunk(
        &self,
        session: SessionId,
        statement: StatementId,
        index: u32,
    ) -> Result<Option<String>, StoreError> {
        self.store.output_chunk(session, statement, index).await
    }

    async fn statement(
        &self,
        session: SessionId,
        id: StatementId,
    ) -> Result<Option<StoredStatement>, StoreError> {
        self.store.statement(session, id).await
    }

    async fn list_statements(
        &self,
        session: SessionId,
        window: Window,
    ) -> Result<(u64, Vec<StoredStatement>), StoreError> {
        self.store.list_statements(session, window).await
    }

    async fn unfinished_statements(
        &self,
        session: SessionId,
    ) -> Result<Vec<StatementRecord>, StoreError> {
        self.store.unfinished_statements(session).await
    }

    async fn trim_statements(&self, session: SessionId, keep: u64) -> Result<(), StoreError> {
        self.writable()?.trim_statements(session, keep).await
    }
}

#[async_trait]
impl JobStore for FullDisk {
    async fn create_job(
        &self,
        session: SessionId,
        language: JobLanguage,
        payload: &str,
    ) -> Result<JobRecord, StoreError> {
        let store = self.writable()?;
        store.create_job(session, language, payload).await
    }

    async fn job_payload(
        &self,
        session: SessionId,
        job: JobId,
    ) -> Result<Option<String>, StoreError> {
        self.store.job_payload(session, job).await
    }

    async fn update_job(&self, record: &JobRecord, result: Option<&str>) -> Result<(), StoreError> {
        self.writable()?.update_job(record, result).await
    }

    async fn put_job_chunk(
        &self,
        session: SessionId,
        job: JobId,
        index: u32,
        text: &str,
    ) -> Result<(), StoreError> {
        let store = self.writable()?;
        store.put_job_chunk(session, job, index, text).await
    }

    async fn job_chunk(
        &self,
        session: SessionId,
        job: JobId,
        index: u32,
    ) -> Result<Option<String>, StoreError> {
        self.store.job_chunk(session, job, index).await
    }

    async fn count_job_chunks(&self, session: SessionId, job: JobId) -> Result<u32, StoreError> {
        self.store.count_job_chunks(session, job).await
    }

    async fn job(&self, session: SessionId, job: JobId) -> Result<Option<StoredJob>, StoreError> {
        self.store.job(session, job).await
    }

    async fn unfinished_jobs(&self, session: SessionId) -> Result<Vec<JobRecord>, StoreError> {
        self.store.unfinished_jobs(session).await
    }

    async fn trim_jobs(&self, session: SessionId, keep: u64) -> Result<(), StoreError> {
        self.writable()?.trim_jobs(session, keep).await
    }
}

#[async_trait]
impl ResourceStore for FullDisk {
    async fn create_resource(
        &self,
        session: SessionId,
        new: NewResource,
    ) -> Result<ResourceRecord, StoreError> {
        self.writable()?.create_resource(session, new).await
    }

    async fn update_resource(&self, record: &ResourceRecord) -> Result<(), StoreError> {
        self.writable()?.update_resource(record).await
    }

    async fn pending_resources(
        &self,
        session: SessionId,
    ) -> Result<Vec<ResourceRecord>, StoreError> {
        self.store.pending_resources(session).await
    }
}

#[async_trait]
impl BatchStore for FullDisk {
    async fn create_batch(&self, new: NewBatch) -> Result<BatchRecord, StoreError> {
        self.writable()?.create_batch(new).await
    }

    async fn update_batch(&self, record: &BatchRecord) -> Result<(), StoreError> {
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        self.writable()?.update_batch(record).await
    }

    async fn batch(&self, id: BatchId) -> Result<Option<BatchRecord>, StoreError> {
        self.store.batch(id).await
    }

    async fn batch_named(&self, name: &str) -> Result<Option<BatchRecord>, StoreError> {
        self.store.batch_named(name).await
    }

    async fn list_batches(&self, window: Window) -> Result<(u64, Vec<BatchRecord>), StoreError> {
        self.store.list_batches(window).await
    }

    async fn unended_batches(&self) -> Result<Vec<BatchRecord>, StoreError> {
        self.store.unended_batches().await
    }

    async fn unlist_batch(&self, id: BatchId) -> Result<bool, StoreError> {
        self.writable()?.unlist_batch(id).await
    }

    async fn purge_batches(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<BatchRecord>, StoreError> {
        self.writable()?.purge_batches(ended_before, keep).await
    }
}
