//! Numbers that only grow.

use sqlx::SqliteConnection;

use super::failed;
use livius_store::StoreError;

const TAKE: &str = "UPDATE counters SET next = next + 1 WHERE name = ?1 RETURNING next - 1";

/// Takes the next number of a counter. The number is used up once the transaction is committed.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    counter: &str,
    operation: &'static str,
) -> Result<i32, StoreError> {
    let taken: i64 = sqlx::query_scalar(TAKE)
        .bind(counter)
        .fetch_one(connection)
        .await
        .map_err(failed(operation))?;
    i32::try_from(taken).map_err(failed(operation))
}
