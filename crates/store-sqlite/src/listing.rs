//! Lists, seen through a window.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, SqliteConnection};

use super::rows;
use livius_store::Window;

/// The queries of a list; the latter two take the limit and the offset.
pub(super) struct Listing {
    pub(super) count: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
}

impl Listing {
    /// Counts and reads within one transaction, so that the two agree.
    pub(super) async fn read(
        &self,
        connection: &mut SqliteConnection,
        window: Window,
    ) -> Result<(u64, Vec<SqliteRow>), sqlx::Error> {
        let mut transaction = connection.begin().await?;
        let total = sqlx::query_scalar(self.count)
            .fetch_one(&mut *transaction)
            .await?;
        let list = sqlx::query(if window.descending {
            self.down
        } else {
            self.up
        })
        .bind(rows::limit(window.limit))
        .bind(rows::limit(window.offset));
        let rows = list.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        Ok((rows::count(total), rows))
    }
}
