//! Searches. Which rows match is read from an index; of the rows, only those that are shown are.

use std::fmt::Write as _;

use livius_store::{Found, Search, StoreError, Visible};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Connection, SqliteConnection};

use super::rows;

/// The text that one search reads at most, but for its first row.
const PART_BYTES: i64 = 4 << 20;

/// A table that can be searched.
pub(super) struct Searched {
    /// Its name.
    pub(super) table: &'static str,
    /// The condition on the kind.
    pub(super) kind: &'static str,
    /// What a key has made if it has made a row of this table.
    pub(super) made: &'static str,
}

impl Searched {
    /// Counts the matching rows.
    pub(super) fn count(&self, visible: Visible<'_>, search: &Search<'_>) -> String {
        let (table, matching) = (self.table, self.matching(visible, search));
        format!("SELECT count(*) FROM {table} WHERE {matching}")
    }

    /// The numbers of the matching rows, newest first.
    pub(super) fn ids(&self, visible: Visible<'_>, search: &Search<'_>) -> String {
        let (table, matching) = (self.table, self.matching(visible, search));
        format!("SELECT id FROM {table} WHERE {matching} AND id < ?9 ORDER BY id DESC LIMIT ?10")
    }

    /// The lengths of some rows.
    pub(super) fn lengths(&self) -> String {
        format!(
            "SELECT id, octet_length(request) + coalesce(octet_length(last_lines), 0) FROM {} \
             WHERE id IN (SELECT value FROM json_each(?1))",
            self.table
        )
    }

    /// Some rows.
    pub(super) fn rows(&self) -> String {
        format!(
            "SELECT * FROM {} WHERE id IN (SELECT value FROM json_each(?1))",
            self.table
        )
    }

    /// The conditions. [`arguments`] has their values; no value stands in the text.
    fn matching(&self, visible: Visible<'_>, search: &Search<'_>) -> String {
        let mut text = "listed = 1".to_owned();
        let mut add = |given: bool, condition: &str| {
            if given {
                text.push_str(" AND ");
                text.push_str(condition);
            }
        };
        add(matches!(visible, Visible::Of(_)), "owner = ?1");
        add(search.owner.is_some(), "owner = ?2");
        add(
            search.states.is_some(),
            "state_name IN (SELECT value FROM json_each(?3))",
        );
        add(search.kind.is_some(), self.kind);
        add(search.name.is_some(), "name = ?5");
        add(search.since.is_some(), "created_at >= ?6");
        if search.key.is_some() {
            let _ = write!(
                text,
                " AND id = (SELECT number FROM request_keys \
                            WHERE caller = ?7 AND key = ?8 AND kind = '{}' AND session IS NULL)",
                self.made
            );
        }
        text
    }

    /// Searches within one transaction, so that what it finds agrees.
    pub(super) async fn find<T>(
        &self,
        connection: &mut SqliteConnection,
        visible: Visible<'_>,
        search: &Search<'_>,
        read: fn(&SqliteRow) -> Result<T, StoreError>,
    ) -> Result<Found<T>, sqlx::Error> {
        let arguments = arguments(visible, search).map_err(sqlx::Error::Encode)?;
        let mut transaction = connection.begin().await?;
        let count = AssertSqlSafe(self.count(visible, search));
        let total: i64 = sqlx::query_scalar_with(count, arguments.clone())
            .fetch_one(&mut *transaction)
            .await?;
        let ids = AssertSqlSafe(self.ids(visible, search));
        let mut ids: Vec<i32> = sqlx::query_scalar_with(ids, arguments)
            .fetch_all(&mut *transaction)
            .await?;
        let lengths: Vec<(i32, i64)> = sqlx::query_as(AssertSqlSafe(self.lengths()))
            .bind(rows::json(&ids))
            .fetch_all(&mut *transaction)
            .await?;
        let matching = ids.len();
        ids.truncate(usize::try_from(search.limit).unwrap_or(usize::MAX));
        ids.truncate(fitting(&ids, lengths));
        let mut found = sqlx::query(AssertSqlSafe(self.rows()))
            .bind(rows::json(&ids))
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        found.sort_by_key(|row| std::cmp::Reverse(rows::id(row)));
        Ok(Found {
            total: rows::count(total),
            records: rows::readable(&found, read),
            next: ids.last().copied().filter(|_| ids.len() < matching),
        })
    }
}

/// How many of these rows may be read at once: one, and more while those before have room for them.
fn fitting(ids: &[i32], mut lengths: Vec<(i32, i64)>) -> usize {
    lengths.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
    let mut before = 0;
    let fit = lengths.iter().take(ids.len()).take_while(|(_, bytes)| {
        let fits = before < PART_BYTES;
        before += bytes;
        fits
    });
    fit.count()
}

/// The values of the conditions. One row more than wanted shows whether there are more.
fn arguments(
    visible: Visible<'_>,
    search: &Search<'_>,
) -> Result<SqliteArguments, sqlx::error::BoxDynError> {
    let user = match visible {
        Visible::All => None,
        Visible::Of(user) => Some(user.to_owned()),
    };
    // A time within a microsecond is after its beginning, and stored times are whole microseconds.
    let since = search.since.map(|since| {
        let microseconds = (since.as_nanosecond() + 999).div_euclid(1_000);
        i64::try_from(microseconds).unwrap_or(i64::MAX)
    });
    let mut arguments = SqliteArguments::default();
    arguments.add(user)?;
    arguments.add(search.owner.map(str::to_owned))?;
    arguments.add(search.states.map(|states| rows::json(&states)))?;
    arguments.add(search.kind.map(livius_domain::Kind::as_str))?;
    arguments.add(search.name.map(str::to_owned))?;
    arguments.add(since)?;
    arguments.add(search.key.map(|(caller, _)| caller.to_owned()))?;
    arguments.add(search.key.map(|(_, key)| key.to_owned()))?;
    arguments.add(search.before.map_or(i64::MAX, i64::from))?;
    arguments.add(rows::limit(search.limit.saturating_add(1)))?;
    Ok(arguments)
}
