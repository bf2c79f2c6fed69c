//! The pieces of long outputs.

use livius_domain::{SessionId, StatementId};
use sqlx::SqliteConnection;

use super::failed;
use livius_store::StoreError;

const PUT: &str = "INSERT INTO statement_chunks (session, statement, idx, text) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO NOTHING";
const GET: &str =
    "SELECT text FROM statement_chunks WHERE session = ?1 AND statement = ?2 AND idx = ?3";

pub(super) async fn put(
    connection: &mut SqliteConnection,
    session: SessionId,
    statement: StatementId,
    index: u32,
    text: &str,
) -> Result<(), StoreError> {
    let put = sqlx::query(PUT)
        .bind(session.0)
        .bind(statement.0)
        .bind(index)
        .bind(text);
    put.execute(connection)
        .await
        .map_err(failed("store a piece of an output"))?;
    Ok(())
}

pub(super) async fn get(
    connection: &mut SqliteConnection,
    session: SessionId,
    statement: StatementId,
    index: u32,
) -> Result<Option<String>, StoreError> {
    let get = sqlx::query_scalar(GET)
        .bind(session.0)
        .bind(statement.0)
        .bind(index);
    get.fetch_optional(connection)
        .await
        .map_err(failed("read a piece of an output"))
}
