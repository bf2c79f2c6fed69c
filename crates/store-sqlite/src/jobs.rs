//! Jobs.

use async_trait::async_trait;
use livius_domain::{JobId, JobLanguage, JobOutcome, JobRecord, JobState, Made, SessionId};
use sqlx::{Connection, SqliteConnection};

use super::keyed::with_key;
use super::rows::{self, json};
use super::statements::SHORT_BYTES;
use super::trim::{Trim, trim};
use super::{SqliteStore, changed, failed};
use livius_store::{Found, JobStore, NewKey, StoreError, StoredJob};

// Each write is one SQL statement where possible, as for statements.
pub(super) const INSERT: &str = "INSERT INTO jobs (session, id, language, state, payload) \
                                 SELECT id, max(job_floor, coalesce((SELECT max(id) + 1 FROM jobs WHERE session = ?1), 1)), \
                                        ?2, ?3, ?4 \
                                 FROM sessions WHERE id = ?1 \
                                 RETURNING id";
const INSERT_PAYLOAD: &str = "INSERT INTO job_payloads (session, job, payload) VALUES (?1, ?2, ?3)";
pub(super) const PAYLOAD: &str = "SELECT coalesce(p.payload, j.payload) FROM jobs j \
                                  LEFT JOIN job_payloads p ON p.session = j.session AND p.job = j.id \
                                  WHERE j.session = ?1 AND j.id = ?2";
pub(super) const PAYLOAD_BYTES: &str = "SELECT coalesce(octet_length(p.payload), octet_length(j.payload)) FROM jobs j \
                                        LEFT JOIN job_payloads p ON p.session = j.session AND p.job = j.id \
                                        WHERE j.session = ?1 AND j.id = ?2";
const DROP_PAYLOAD: &str = "DELETE FROM job_payloads WHERE session = ?1 AND job = ?2";
// Only a job that succeeded has its pieces as the result: other jobs may have sent only some of
// them. A job that ends otherwise keeps no earlier result.
pub(super) const UPDATE: &str = "UPDATE jobs SET version = version + 1, state = ?3, error = ?4, finished = ?5, \
                                     result = CASE WHEN ?5 AND NOT ?6 THEN ?7 ELSE coalesce(?7, result) END, \
                                     payload = CASE WHEN ?5 THEN NULL ELSE payload END, \
                                     (result_chunks, result_bytes) = ( \
                                         SELECT nullif(count(*), 0), sum(octet_length(text)) FROM job_chunks \
                                         WHERE session = ?1 AND job = ?2 AND ?6 AND ?7 IS NULL), \
                                     held = CASE WHEN ?5 THEN coalesce(octet_length(?7), CASE WHEN ?6 THEN coalesce(( \
                                         SELECT sum(octet_length(text)) FROM job_chunks \
                                         WHERE session = ?1 AND job = ?2), octet_length(result)) END, 0) ELSE 0 END \
                                 WHERE session = ?1 AND id = ?2 AND version = ?8 AND finished < 2";
const EXISTS: &str = "SELECT 1 FROM jobs WHERE session = ?1 AND id = ?2";
pub(super) const BY_ID: &str = "SELECT id, version, language, state, error, result_chunks, result_bytes, result \
                                FROM jobs WHERE session = ?1 AND id = ?2 AND finished < 2";
pub(super) const UNFINISHED: &str = "SELECT id, version, language, state, error FROM jobs \
                                     WHERE session = ?1 AND finished = 0 ORDER BY id";
// 1 000 characters of an error tell the reason, and 1 000 rows of them fit in memory.
pub(super) const LIST: &str = "SELECT id, version, language, state, substr(error, 1, 1000) AS error FROM jobs \
                               WHERE session = ?1 AND finished < 2 AND id < ?2 ORDER BY id DESC LIMIT ?3";
pub(super) const COUNT: &str = "SELECT count(*), count(*) FILTER (WHERE id < ?2) FROM jobs \
                                WHERE session = ?1 AND finished < 2";
pub(super) const TRIM: Trim = trim!(
    "jobs",
    floor: "job_floor",
    from: "1",
    row: "coalesce(octet_length(payload), 0) + coalesce(octet_length(result), 0)",
    chunks: ("job_chunks", "job", "result_chunks"),
    texts: ("job_payloads", "payload")
);

#[async_trait]
impl JobStore for SqliteStore {
    async fn create_job(
        &self,
        session: SessionId,
        language: JobLanguage,
        payload: &str,
        key: Option<&NewKey>,
    ) -> Result<JobRecord, StoreError> {
        let made = |record: &JobRecord| Made::Job(session, record.id);
        let create = async |c: &mut SqliteConnection| create(c, session, language, payload).await;
        self.write(async |c| with_key(c, key, create, made).await)
            .await
    }

    async fn job_payload(
        &self,
        session: SessionId,
        job: JobId,
    ) -> Result<Option<String>, StoreError> {
        self.read(async |c| payload(c, session, job).await).await
    }

    async fn job_payload_bytes(
        &self,
        session: SessionId,
        job: JobId,
    ) -> Result<Option<u64>, StoreError> {
        self.read(async |c| payload_bytes(c, session, job).await)
            .await
    }

    async fn update_job(
        &self,
        record: &mut JobRecord,
        result: Option<&str>,
    ) -> Result<(), StoreError> {
        self.write(async |c| update(c, record, result).await).await
    }

    async fn job(&self, session: SessionId, job: JobId) -> Result<Option<StoredJob>, StoreError> {
        self.read(async |c| by_id(c, session, job).await).await
    }

    async fn unfinished_jobs(&self, session: SessionId) -> Result<Vec<JobRecord>, StoreError> {
        self.read(async |c| unfinished(c, session).await).await
    }

    async fn list_jobs(
        &self,
        session: SessionId,
        before: Option<JobId>,
        limit: u64,
    ) -> Result<Found<JobRecord>, StoreError> {
        self.read(async |c| list(c, session, before, limit).await)
            .await
    }

    async fn trim_jobs(&self, session: SessionId, keep: u64) -> Result<(), StoreError> {
        self.trim(&TRIM, session, keep).await
    }
}

async fn create(
    connection: &mut SqliteConnection,
    session: SessionId,
    language: JobLanguage,
    payload: &str,
) -> Result<JobRecord, StoreError> {
    let inserted = insert(connection, session, language, payload).await;
    let id = inserted
        .map_err(failed("create a job"))?
        .ok_or("no such session")
        .map_err(failed("create a job"))?;
    Ok(JobRecord {
        session,
        version: 0,
        id: JobId(i32::try_from(id).map_err(failed("number a job"))?),
        language,
        state: JobState::Waiting,
        error: None,
    })
}

/// Inserts the row, and a long payload into its own table. Answers the number of the job, if the
/// session exists.
async fn insert(
    connection: &mut SqliteConnection,
    session: SessionId,
    language: JobLanguage,
    payload: &str,
) -> Result<Option<i64>, sqlx::Error> {
    let short = (payload.len() <= SHORT_BYTES).then_some(payload);
    let mut transaction = connection.begin().await?;
    let insert = sqlx::query_scalar(INSERT)
        .bind(session.0)
        .bind(rows::language_name(language))
        .bind(json(&JobState::Waiting))
        .bind(short);
    let ids: Vec<i64> = insert.fetch_all(&mut *transaction).await?;
    let Some(id) = ids.first().copied() else {
        return Ok(None);
    };
    if short.is_none() {
        sqlx::query(INSERT_PAYLOAD)
            // A statement that is kept for later also keeps the text in memory.
            .persistent(false)
            .bind(session.0)
            .bind(id)
            .bind(payload)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(Some(id))
}

async fn payload(
    connection: &mut SqliteConnection,
    session: SessionId,
    job: JobId,
) -> Result<Option<String>, StoreError> {
    let read = sqlx::query_scalar(PAYLOAD).bind(session.0).bind(job.0);
    let payload: Option<Option<String>> = read
        .fetch_optional(connection)
        .await
        .map_err(failed("read the bytes of a job"))?;
    Ok(payload.flatten())
}

async fn payload_bytes(
    connection: &mut SqliteConnection,
    session: SessionId,
    job: JobId,
) -> Result<Option<u64>, StoreError> {
    let read = sqlx::query_scalar(PAYLOAD_BYTES)
        .bind(session.0)
        .bind(job.0);
    let bytes: Option<Option<i64>> = read
        .fetch_optional(connection)
        .await
        .map_err(failed("read the length of a job's bytes"))?;
    Ok(bytes.flatten().map(rows::count))
}

/// Stores the new state. A job that is over loses its payload in the same transaction.
async fn update(
    connection: &mut SqliteConnection,
    record: &mut JobRecord,
    result: Option<&str>,
) -> Result<(), StoreError> {
    let succeeded = matches!(
        record.state,
        JobState::Ended {
            outcome: JobOutcome::Succeeded,
            ..
        }
    );
    let update = sqlx::query(UPDATE)
        .bind(record.session.0)
        .bind(record.id.0)
        .bind(json(&record.state))
        .bind(&record.error)
        .bind(record.state.is_final())
        .bind(succeeded)
        .bind(result)
        .bind(rows::limit(record.version));
    let work = async {
        let mut transaction = connection.begin().await?;
        let done = update.execute(&mut *transaction).await?;
        if record.state.is_final() && done.rows_affected() > 0 {
            sqlx::query(DROP_PAYLOAD)
                .bind(record.session.0)
                .bind(record.id.0)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(done)
    };
    let done = work.await.map_err(failed::<sqlx::Error>("update a job"))?;
    let row = sqlx::query(EXISTS).bind(record.session.0).bind(record.id.0);
    let what = || format!("job {} of session {}", record.id, record.session);
    changed(connection, done.rows_affected(), row, what).await?;
    record.version += 1;
    Ok(())
}

async fn by_id(
    connection: &mut SqliteConnection,
    session: SessionId,
    job: JobId,
) -> Result<Option<StoredJob>, StoreError> {
    let read = sqlx::query(BY_ID).bind(session.0).bind(job.0);
    let row = read
        .fetch_optional(connection)
        .await
        .map_err(failed("read a job"))?;
    row.map(|row| rows::stored_job(session, &row)).transpose()
}

async fn unfinished(
    connection: &mut SqliteConnection,
    session: SessionId,
) -> Result<Vec<JobRecord>, StoreError> {
    let read = sqlx::query(UNFINISHED).bind(session.0);
    let rows = read
        .fetch_all(connection)
        .await
        .map_err(failed("list unfinished jobs"))?;
    Ok(rows::readable(&rows, |row| rows::job(session, row)))
}

async fn list(
    connection: &mut SqliteConnection,
    session: SessionId,
    before: Option<JobId>,
    limit: u64,
) -> Result<Found<JobRecord>, StoreError> {
    let before = before.map_or(i64::MAX, |job| job.0.into());
    let read = async {
        let mut transaction = connection.begin().await?;
        let counts: (i64, i64) = sqlx::query_as(COUNT)
            .bind(session.0)
            .bind(before)
            .fetch_one(&mut *transaction)
            .await?;
        let rows = sqlx::query(LIST)
            .bind(session.0)
            .bind(before)
            .bind(rows::limit(limit))
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok((counts, rows))
    };
    let ((total, older), found) = read.await.map_err(failed::<sqlx::Error>("list jobs"))?;
    let last = found.last().map(rows::id);
    let has_more = (found.len() as u64) < rows::count(older);
    Ok(Found {
        total: rows::count(total),
        records: rows::readable(&found, |row| rows::job(session, row)),
        next: last
            .and_then(|id| i32::try_from(id).ok())
            .filter(|_| has_more),
    })
}
