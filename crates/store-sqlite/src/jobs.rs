//! Jobs.

use async_trait::async_trait;
use livius_domain::{JobId, JobLanguage, JobOutcome, JobRecord, JobState, SessionId};
use sqlx::{Connection, SqliteConnection};

use super::rows::{self, json};
use super::{SqliteStore, changed, failed};
use livius_store::{JobStore, StoreError, StoredJob};

// Each write is one SQL statement where possible, as for statements.
pub(super) const INSERT: &str = "INSERT INTO jobs (session, id, language, state, payload) \
                                 SELECT id, max(job_floor, coalesce((SELECT max(id) + 1 FROM jobs WHERE session = ?1), 1)), \
                                        ?2, ?3, ?4 \
                                 FROM sessions WHERE id = ?1 \
                                 RETURNING id";
pub(super) const PAYLOAD: &str = "SELECT payload FROM jobs WHERE session = ?1 AND id = ?2";
// Only a job that succeeded has its pieces as the result: other jobs may have sent only some of
// them.
pub(super) const UPDATE: &str = "UPDATE jobs SET version = version + 1, state = ?3, error = ?4, finished = ?5, result = coalesce(?7, result), \
                                     payload = CASE WHEN ?5 THEN NULL ELSE payload END, \
                                     (result_chunks, result_bytes) = ( \
                                         SELECT nullif(count(*), 0), sum(octet_length(text)) FROM job_chunks \
                                         WHERE session = ?1 AND job = ?2 AND ?6 AND ?7 IS NULL) \
                                 WHERE session = ?1 AND id = ?2 AND version = ?8";
const EXISTS: &str = "SELECT 1 FROM jobs WHERE session = ?1 AND id = ?2";
pub(super) const BY_ID: &str = "SELECT id, version, language, state, error, result_chunks, result_bytes, result \
                                FROM jobs WHERE session = ?1 AND id = ?2";
pub(super) const UNFINISHED: &str = "SELECT id, version, language, state, error FROM jobs \
                                     WHERE session = ?1 AND finished = 0 ORDER BY id";
pub(super) const RAISE_FLOOR: &str = "UPDATE sessions SET job_floor = max(job_floor, \
                                          coalesce((SELECT max(id) + 1 FROM jobs WHERE session = ?1), 1)) \
                                      WHERE id = ?1";
pub(super) const TRIM: &str = "DELETE FROM jobs WHERE session = ?1 AND finished = 1 AND id <= ( \
                                   SELECT id FROM jobs WHERE session = ?1 AND finished = 1 \
                                   ORDER BY id DESC LIMIT 1 OFFSET ?2)";

#[async_trait]
impl JobStore for SqliteStore {
    async fn create_job(
        &self,
        session: SessionId,
        language: JobLanguage,
        payload: &str,
    ) -> Result<JobRecord, StoreError> {
        self.write(async |c| create(c, session, language, payload).await)
            .await
    }

    async fn job_payload(
        &self,
        session: SessionId,
        job: JobId,
    ) -> Result<Option<String>, StoreError> {
        self.read(async |c| payload(c, session, job).await).await
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

    async fn trim_jobs(&self, session: SessionId, keep: u64) -> Result<(), StoreError> {
        self.write(async |c| trim(c, session, keep).await).await
    }
}

async fn create(
    connection: &mut SqliteConnection,
    session: SessionId,
    language: JobLanguage,
    payload: &str,
) -> Result<JobRecord, StoreError> {
    let state = JobState::Waiting;
    let insert = sqlx::query_scalar(INSERT)
        .bind(session.0)
        .bind(rows::language_name(language))
        .bind(json(&state))
        .bind(payload);
    // Fetches all rows, as for a statement.
    let ids: Vec<i64> = insert
        .fetch_all(connection)
        .await
        .map_err(failed("create a job"))?;
    let id = *ids
        .first()
        .ok_or("no such session")
        .map_err(failed("create a job"))?;
    Ok(JobRecord {
        session,
        version: 0,
        id: JobId(i32::try_from(id).map_err(failed("number a job"))?),
        language,
        state,
        error: None,
    })
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
    let done = update
        .execute(&mut *connection)
        .await
        .map_err(failed("update a job"))?;
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

async fn trim(
    connection: &mut SqliteConnection,
    session: SessionId,
    keep: u64,
) -> Result<(), StoreError> {
    let trim = async {
        let mut transaction = connection.begin().await?;
        // As for statements, the floor matters only when no job is kept.
        if keep == 0 {
            let raise = sqlx::query(RAISE_FLOOR).bind(session.0);
            raise.execute(&mut *transaction).await?;
        }
        let delete = sqlx::query(TRIM).bind(session.0).bind(rows::limit(keep));
        delete.execute(&mut *transaction).await?;
        transaction.commit().await
    };
    trim.await.map_err(failed("delete old jobs"))
}
