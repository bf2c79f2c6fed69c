//! Deletions in parts. No other write runs during one, so a part has some megabytes at most.

use livius_store::StoreError;
use sqlx::SqliteConnection;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::{SqliteStore, failed};

/// Deletes at most 64 rows of a table, and no more after 8 MiB of text.
macro_rules! part {
    ($table:literal, bytes: $bytes:expr, rows: $rows:expr) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE rowid IN ( \
                 SELECT rowid FROM ( \
                     SELECT rowid, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes AS before FROM ( \
                         SELECT rowid, ",
            $bytes,
            " AS bytes FROM ",
            $table,
            " WHERE ",
            $rows,
            " LIMIT 64)) \
                 WHERE before < 8388608)"
        )
    };
}

pub(super) use part;

impl SqliteStore {
    /// Repeats a deletion until it finds nothing. Other writes go on in between.
    pub(super) async fn delete_in_parts(
        &self,
        part: &'static str,
        bind: impl Fn(
            Query<'static, sqlx::Sqlite, SqliteArguments>,
        ) -> Query<'static, sqlx::Sqlite, SqliteArguments>,
    ) -> Result<(), StoreError> {
        loop {
            let query = bind(sqlx::query(part));
            let done = self
                .write(async |c: &mut SqliteConnection| {
                    query.execute(c).await.map_err(failed("delete a part"))
                })
                .await?;
            if done.rows_affected() == 0 {
                return Ok(());
            }
        }
    }
}
