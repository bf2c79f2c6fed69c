//! Durable jobs.

use async_trait::async_trait;
use livius_domain::{JobId, JobLanguage, JobRecord, SessionId};

use crate::{Found, NewKey, Output, StoreError};

/// A job with its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// The job without its bytes and its result.
    pub record: JobRecord,
    /// The result, in base64.
    pub result: Output,
}

/// Stores jobs. Each call is one transaction: it is done whole or not at all.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Gives a job its number and stores it as waiting, with its bytes in base64. Jobs are numbered
    /// from 1 in each session, and no number is given twice.
    async fn create_job(
        &self,
        session: SessionId,
        language: JobLanguage,
        payload: &str,
        key: Option<&NewKey>,
    ) -> Result<JobRecord, StoreError>;

    /// Reads the bytes of a job that is not over.
    async fn job_payload(
        &self,
        session: SessionId,
        job: JobId,
    ) -> Result<Option<String>, StoreError>;

    /// The length of the bytes of a job that is not over.
    async fn job_payload_bytes(
        &self,
        session: SessionId,
        job: JobId,
    ) -> Result<Option<u64>, StoreError>;

    /// Stores a job's state and error, and its result if one is given. Without a given result, the
    /// pieces are the result of a job that succeeded. A job that ends otherwise keeps no
    /// earlier result. Drops the job's bytes when the job is over.
    /// The record must have the version of the row.
    async fn update_job(
        &self,
        record: &mut JobRecord,
        result: Option<&str>,
    ) -> Result<(), StoreError>;

    /// Reads a job.
    async fn job(&self, session: SessionId, job: JobId) -> Result<Option<StoredJob>, StoreError>;

    /// Reads the jobs that are not over, by number. Unreadable rows are left out.
    async fn unfinished_jobs(&self, session: SessionId) -> Result<Vec<JobRecord>, StoreError>;

    /// Reads at most `limit` of the session's jobs, newest first: those with a number below `before`.
    /// Of a long error only the beginning is read. Unreadable rows are counted and left out.
    async fn list_jobs(
        &self,
        session: SessionId,
        before: Option<JobId>,
        limit: u64,
    ) -> Result<Found<JobRecord>, StoreError>;

    /// Keeps the newest `keep` jobs that are over, and deletes the others that are over, as
    /// [`StatementStore::trim_statements`](crate::StatementStore::trim_statements) does.
    async fn trim_jobs(&self, session: SessionId, keep: u64) -> Result<(), StoreError>;
}
