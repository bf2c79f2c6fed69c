//! Lists with a window.

use livius_store::{Part, Start, StoreError, Window};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Encode, Sqlite, SqliteConnection, Type};

use super::rows;

/// The queries of a list. `?1` is the owner or the session, if the list is about one. The latter two
/// take the number to begin after, the limit and the offset.
pub(super) struct Listing {
    pub(super) count: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
}

/// Writes the queries of a list. A window ends early, but not before its first row, when its rows
/// have 4 MiB of text.
macro_rules! listing {
    (select: $select:expr, from: $from:expr, id: $id:expr, rows: $rows:expr, bytes: $bytes:expr) => {
        $crate::listing::Listing {
            count: concat!("SELECT count(*) FROM ", $from, " WHERE ", $rows),
            up: $crate::listing::listing!(@window $select, $from, $rows, $bytes,
                concat!($id, " > ?2 ORDER BY ", $id)),
            down: $crate::listing::listing!(@window $select, $from, $rows, $bytes,
                concat!($id, " < ?2 ORDER BY ", $id, " DESC")),
        }
    };
    (@window $select:expr, $from:expr, $rows:expr, $bytes:expr, $direction:expr) => {
        concat!(
            $select, " WHERE ", $rows, " AND ", $direction,
            " LIMIT ( \
                 SELECT count(*) FROM ( \
                     SELECT sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes AS before FROM ( \
                         SELECT ", $bytes, " AS bytes FROM ", $from,
            " WHERE ", $rows, " AND ", $direction, " LIMIT ?3 OFFSET ?4)) \
                 WHERE before < 4194304) \
             OFFSET ?4"
        )
    };
}

pub(super) use listing;

impl Listing {
    /// Reads the rows of a window. A list is counted where it begins, within the same transaction,
    /// so that count and rows agree.
    pub(super) async fn read<'a, K, T>(
        &self,
        connection: &mut SqliteConnection,
        key: K,
        window: Window,
        read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
    ) -> Result<Part<T>, sqlx::Error>
    where
        K: Encode<'a, Sqlite> + Type<Sqlite> + Clone + Send + 'a,
    {
        let (query, first) = if window.descending {
            (self.down, i64::MAX)
        } else {
            (self.up, i64::MIN)
        };
        let (after, offset) = match window.start {
            Start::Offset(offset) => (first, rows::limit(offset)),
            Start::After(id) => (id.into(), 0),
        };
        let mut transaction = connection.begin().await?;
        let total = match window.start {
            Start::Offset(_) => {
                let count = sqlx::query_scalar(self.count).bind(key.clone());
                Some(rows::count(count.fetch_one(&mut *transaction).await?))
            }
            Start::After(_) => None,
        };
        let found = sqlx::query(query)
            .bind(key)
            .bind(after)
            .bind(rows::limit(window.limit))
            .bind(offset)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        let last = found.last().map(rows::id);
        Ok(Part {
            total,
            records: rows::readable(&found, read),
            seen: found.len() as u64,
            next: last.and_then(|id| i32::try_from(id).ok()),
        })
    }
}
