//! Lists with a window.

use livius_store::Window;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, SqliteConnection};

use super::rows;

/// The queries of a list. The latter two take the limit and the offset. The list of an owner takes
/// the owner last.
pub(super) struct Listing {
    pub(super) count: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
}

impl Listing {
    /// Reads a list of all rows.
    pub(super) async fn read(
        &self,
        connection: &mut SqliteConnection,
        window: Window,
    ) -> Result<(u64, Vec<SqliteRow>), sqlx::Error> {
        // Counts and reads within one transaction, so that both agree.
        let mut transaction = connection.begin().await?;
        let total = sqlx::query_scalar(self.count)
            .fetch_one(&mut *transaction)
            .await?;
        let rows = sqlx::query(self.direction(window))
            .bind(rows::limit(window.limit))
            .bind(rows::limit(window.offset))
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok((rows::count(total), rows))
    }

    /// Reads a list of one owner's rows.
    pub(super) async fn read_of(
        &self,
        connection: &mut SqliteConnection,
        owner: &str,
        window: Window,
    ) -> Result<(u64, Vec<SqliteRow>), sqlx::Error> {
        let mut transaction = connection.begin().await?;
        let total = sqlx::query_scalar(self.count)
            .bind(owner)
            .fetch_one(&mut *transaction)
            .await?;
        let rows = sqlx::query(self.direction(window))
            .bind(rows::limit(window.limit))
            .bind(rows::limit(window.offset))
            .bind(owner)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok((rows::count(total), rows))
    }

    fn direction(&self, window: Window) -> &'static str {
        if window.descending {
            self.down
        } else {
            self.up
        }
    }
}
