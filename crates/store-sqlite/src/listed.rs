//! The queries that sessions and batches share: rows have names, may be listed, and end.

use jiff::Timestamp;
use livius_store::{Part, StoreError, Unended, Visible, Window};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::listing::Listing;
use super::{failed, rows};

/// The queries on the table of sessions or batches, and the function that reads a row.
pub(super) struct Listed<T> {
    pub(super) by_id: &'static str,
    pub(super) by_name: &'static str,
    pub(super) summaries: &'static str,
    pub(super) everything: Listing,
    pub(super) of_owner: Listing,
    pub(super) unended: &'static str,
    pub(super) unlist: &'static str,
    pub(super) doomed: &'static str,
    pub(super) delete: &'static str,
    pub(super) exists: &'static str,
    pub(super) read: fn(&SqliteRow) -> Result<T, StoreError>,
}

/// Writes the queries for one table.
macro_rules! listed {
    ($table:literal, $read:expr) => {
        $crate::listed::Listed {
            by_id: concat!("SELECT * FROM ", $table, " WHERE id = ?1 AND listed = 1"),
            // Thousands of rows may have had the name, one after the other. Two index look-ups find
            // the row: the one that has not ended, else the newest.
            by_name: concat!(
                "SELECT * FROM ",
                $table,
                " WHERE id = coalesce( \
                     (SELECT id FROM ",
                $table,
                " WHERE name = ?1 AND listed = 1 AND ended_at IS NULL), \
                     (SELECT max(id) FROM ",
                $table,
                " WHERE name = ?1 AND listed = 1))"
            ),
            // These columns stand before the request in a row, so nothing of a long one is read.
            summaries: concat!(
                "SELECT id, owner, proxy_user, state, app FROM ",
                $table,
                " WHERE listed = 1 AND id IN (SELECT value FROM json_each(?1))"
            ),
            everything: $crate::listing::listing! {
                select: concat!("SELECT * FROM ", $table),
                from: $table,
                id: "id",
                rows: "listed = 1",
                bytes: "octet_length(request) + coalesce(octet_length(last_lines), 0)"
            },
            of_owner: $crate::listing::listing! {
                select: concat!("SELECT * FROM ", $table),
                from: $table,
                id: "id",
                rows: "listed = 1 AND owner = ?1",
                bytes: "octet_length(request) + coalesce(octet_length(last_lines), 0)"
            },
            unended: concat!(
                "SELECT * FROM ",
                $table,
                " WHERE ended_at IS NULL ORDER BY id"
            ),
            unlist: concat!(
                "UPDATE ",
                $table,
                " SET listed = 0 WHERE id = ?1 AND listed = 1"
            ),
            // Both rules take the oldest rows, so the rule that takes more covers the other. The
            // limits are 1 000 rows and 8 MiB, as no other write runs during a delete and all rows
            // are in memory.
            doomed: concat!(
                "UPDATE ",
                $table,
                " SET listed = 0 WHERE id IN ( \
                     SELECT id FROM ( \
                         SELECT id, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes AS before FROM ( \
                             SELECT id, octet_length(request) + coalesce(octet_length(last_lines), 0) AS bytes FROM ",
                $table,
                " WHERE ended_at IS NOT NULL ORDER BY ended_at, id \
                             LIMIT min(1000, max( \
                                 (SELECT count(*) FROM ",
                $table,
                " WHERE ended_at < ?1), \
                                 (SELECT count(*) FROM ",
                $table,
                " WHERE ended_at IS NOT NULL) - ?2)))) \
                     WHERE before < 8388608) \
                 RETURNING id"
            ),
            delete: concat!(
                "DELETE FROM ",
                $table,
                " WHERE id IN (SELECT value FROM json_each(?1)) RETURNING *"
            ),
            exists: concat!("SELECT 1 FROM ", $table, " WHERE id = ?1"),
            read: $read,
        }
    };
}

pub(super) use listed;

impl<T> Listed<T> {
    pub(super) async fn by_id(
        &self,
        connection: &mut SqliteConnection,
        id: i32,
    ) -> Result<Option<T>, StoreError> {
        let row = sqlx::query(self.by_id)
            .bind(id)
            .fetch_optional(connection)
            .await
            .map_err(failed("read a row by number"))?;
        row.as_ref().map(self.read).transpose()
    }

    pub(super) async fn by_name(
        &self,
        connection: &mut SqliteConnection,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        let row = sqlx::query(self.by_name)
            .bind(name)
            .fetch_optional(connection)
            .await
            .map_err(failed("read a row by name"))?;
        row.as_ref().map(self.read).transpose()
    }

    /// Reads the summaries of some rows, by number.
    pub(super) async fn summaries<S>(
        &self,
        connection: &mut SqliteConnection,
        ids: &[i32],
        read: fn(&SqliteRow) -> Result<S, StoreError>,
    ) -> Result<Vec<S>, StoreError> {
        let mut rows = sqlx::query(self.summaries)
            .bind(rows::json(&ids))
            .fetch_all(connection)
            .await
            .map_err(failed("read the summaries of rows"))?;
        rows.sort_by_key(rows::id);
        Ok(rows::readable(&rows, read))
    }

    pub(super) async fn list(
        &self,
        connection: &mut SqliteConnection,
        visible: Visible<'_>,
        window: Window,
    ) -> Result<Part<T>, StoreError> {
        let read = match visible {
            Visible::All => {
                let any = None::<i32>;
                self.everything
                    .read(connection, any, window, self.read)
                    .await
            }
            Visible::Of(owner) => {
                self.of_owner
                    .read(connection, owner, window, self.read)
                    .await
            }
        };
        read.map_err(failed("list rows"))
    }

    pub(super) async fn unended(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Unended<T>>, StoreError> {
        let rows = sqlx::query(self.unended).fetch(connection);
        let read = |row: &SqliteRow| {
            Ok(Unended {
                record: (self.read)(row)?,
                listed: rows::is_listed(row),
            })
        };
        rows::readable_of(rows, read)
            .await
            .map_err(failed("list the rows that have not ended"))
    }

    pub(super) async fn unlist(
        &self,
        connection: &mut SqliteConnection,
        id: i32,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(self.unlist)
            .bind(id)
            .execute(connection)
            .await
            .map_err(failed("take a row off the list"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Chooses the rows that are to be deleted, and takes them off the list, as rows that belong to
    /// them may be deleted first.
    pub(super) async fn doom(
        &self,
        connection: &mut SqliteConnection,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<i32>, StoreError> {
        sqlx::query_scalar(self.doomed)
            .bind(ended_before.as_microsecond())
            .bind(rows::limit(keep))
            .fetch_all(connection)
            .await
            .map_err(failed("choose the rows to delete"))
    }

    /// Deletes rows, and answers the readable ones by number.
    pub(super) async fn delete(
        &self,
        connection: &mut SqliteConnection,
        ids: &str,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = sqlx::query(self.delete)
            .bind(ids)
            .fetch_all(connection)
            .await
            .map_err(failed("delete ended rows"))?;
        rows.sort_by_key(rows::id);
        Ok(rows::readable(&rows, self.read))
    }
}
