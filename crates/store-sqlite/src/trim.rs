//! Deletes the oldest finished statements or jobs of a session.

use livius_domain::SessionId;
use livius_store::StoreError;
use sqlx::{Connection, SqliteConnection};

use super::{SqliteStore, failed, rows};

/// The queries for one table. All take the session first.
///
/// A deletion marks the rows first, so that readers see all of them or none. Then their texts go, a
/// few at a time, and then the rows. The next deletion finishes one that was broken off.
pub(super) struct Trim {
    /// Stores the next number, as no row may be left that shows it.
    pub(super) raise_floor: &'static str,
    /// Marks the rows beyond the newest `?2`.
    pub(super) mark: &'static str,
    /// The deletions, in their order.
    pub(super) parts: [&'static str; 3],
}

macro_rules! trim {
    ($table:literal, floor: $floor:literal, from: $first:literal, row: $row:expr, chunks: ($pieces:literal, $owner:literal, $used:literal), texts: ($texts:literal, $text:literal)) => {
        $crate::trim::Trim {
            raise_floor: concat!(
                "UPDATE sessions SET ", $floor, " = max(", $floor, ", \
                     coalesce((SELECT max(id) + 1 FROM ", $table, " WHERE session = ?1), ", $first, ")) \
                 WHERE id = ?1"
            ),
            mark: concat!(
                "UPDATE ", $table, " SET finished = 2 WHERE session = ?1 AND finished = 1 AND id <= ( \
                     SELECT id FROM ", $table, " WHERE session = ?1 AND finished = 1 \
                     ORDER BY id DESC LIMIT 1 OFFSET ?2)"
            ),
            parts: [
                // Pieces may also be left of a row that is over and has another text.
                $crate::parts::part!(
                    $pieces,
                    bytes: "octet_length(text)",
                    rows: concat!(
                        "session = ?1 AND ", $owner, " IN ( \
                             SELECT id FROM ", $table, " WHERE session = ?1 \
                                 AND (finished = 2 OR finished = 1 AND ", $used, " IS NULL))"
                    )
                ),
                $crate::parts::part!(
                    $texts,
                    bytes: concat!("octet_length(", $text, ")"),
                    rows: concat!(
                        "session = ?1 AND ", $owner, " IN ( \
                             SELECT id FROM ", $table, " WHERE session = ?1 AND finished = 2)"
                    )
                ),
                $crate::parts::part!($table, bytes: $row, rows: "session = ?1 AND finished = 2"),
            ],
        }
    };
}

pub(super) use trim;

impl SqliteStore {
    /// Keeps the newest `keep` finished rows of a session.
    pub(super) async fn trim(
        &self,
        trim: &Trim,
        session: SessionId,
        keep: u64,
    ) -> Result<(), StoreError> {
        self.write(async |c| {
            mark(c, trim, session, keep)
                .await
                .map_err(failed("mark old rows"))
        })
        .await?;
        for part in trim.parts {
            self.delete_in_parts(part, |query| query.bind(session.0))
                .await?;
        }
        Ok(())
    }
}

async fn mark(
    connection: &mut SqliteConnection,
    trim: &Trim,
    session: SessionId,
    keep: u64,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // Kept rows have higher numbers than deleted ones, so a new number cannot be that of a deleted
    // row. Only when no row is kept must the floor be stored.
    if keep == 0 {
        sqlx::query(trim.raise_floor)
            .bind(session.0)
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query(trim.mark)
        .bind(session.0)
        .bind(rows::limit(keep))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
