//! Durable jobs.

use async_trait::async_trait;
use livius_domain::{JobId, JobLanguage, JobRecord, SessionId};

use crate::{Output, StoreError};

/// A job with its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// All but its bytes and its result.
    pub record: JobRecord,
    /// The result, in base64.
    pub result: Output,
}

/// Everything durable about jobs. Each call is one transaction: done whole, or not at all.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Gives a job its number, counting from 1 within the session and never used again, and stores it as waiting, with its bytes in
    /// base64.
    async fn create_job(
        &self,
        session: SessionId,
        language: JobLanguage,
        payload: &str,
    ) -> Result<JobRecord, StoreError>;

    /// The bytes of a job that is not over.
    async fn job_payload(
        &self,
        session: SessionId,
        job: JobId,
    ) -> Result<Option<String>, StoreError>;

    /// Stores a job's state and error, and with them its result if there is one to be stored now. Without one, the pieces are the result of a job
    /// that succeeded. Drops its bytes when it is over.
    async fn update_job(
        &self,
        record: &mut JobRecord,
        result: Option<&str>,
    ) -> Result<(), StoreError>;

    /// One job.
    async fn job(&self, session: SessionId, job: JobId) -> Result<Option<StoredJob>, StoreError>;

    /// The jobs that are not over, by number. Rows that cannot be read are left out.
    async fn unfinished_jobs(&self, session: SessionId) -> Result<Vec<JobRecord>, StoreError>;

    /// Deletes jobs that are over in excess of `keep`, oldest first.
    async fn trim_jobs(&self, session: SessionId, keep: u64) -> Result<(), StoreError>;
}
