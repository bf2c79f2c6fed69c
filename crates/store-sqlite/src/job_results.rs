//! The pieces of long results.

use livius_domain::{JobId, SessionId};
use sqlx::SqliteConnection;

use super::failed;
use livius_store::StoreError;

const PUT: &str = "INSERT INTO job_chunks (session, job, idx, text) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO NOTHING";
pub(super) const GET: &str =
    "SELECT text FROM job_chunks WHERE session = ?1 AND job = ?2 AND idx = ?3";

pub(super) const COUNT: &str = "SELECT count(*) FROM job_chunks WHERE session = ?1 AND job = ?2";

pub(super) async fn put(
    connection: &mut SqliteConnection,
    session: SessionId,
    job: JobId,
    index: u32,
    text: &str,
) -> Result<(), StoreError> {
    let put = sqlx::query(PUT)
        .bind(session.0)
        .bind(job.0)
        .bind(index)
        .bind(text);
    put.execute(connection)
        .await
        .map_err(failed("store a piece of a result"))?;
    Ok(())
}

pub(super) async fn get(
    connection: &mut SqliteConnection,
    session: SessionId,
    job: JobId,
    index: u32,
) -> Result<Option<String>, StoreError> {
    let get = sqlx::query_scalar(GET)
        .bind(session.0)
        .bind(job.0)
        .bind(index);
    get.fetch_optional(connection)
        .await
        .map_err(failed("read a piece of a result"))
}

pub(super) async fn count(
    connection: &mut SqliteConnection,
    session: SessionId,
    job: JobId,
) -> Result<u32, StoreError> {
    let count = sqlx::query_scalar(COUNT).bind(session.0).bind(job.0);
    count
        .fetch_one(connection)
        .await
        .map_err(failed("count the pieces of a result"))
}
