//! Statements.

use async_trait::async_trait;
use livius_domain::{
    Kind, Made, Notice, SessionId, StatementId, StatementRecord, StatementState, Webhook,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, SqliteConnection};

use super::keyed::{Wishes, with_wishes};
use super::listing::{Listing, listing};
use super::rows::{self, json};
use super::trim::{Trim, trim};
use super::webhooks::with_notice;
use super::{SqliteStore, changed, failed};
use livius_store::{NewKey, Part, StatementStore, StoreError, StoredStatement, Window};

/// Longer code is in a table of its own: a state change writes the statement's row again.
pub(super) const SHORT_BYTES: usize = 2048;

// Statements are written most often, so each write is one SQL statement where possible: it commits
// by itself.
const INSERT: &str = "INSERT INTO statements (session, id, kind, state, code) \
                      SELECT id, \
                             max(statement_floor, coalesce((SELECT max(id) + 1 FROM statements WHERE session = ?1), 0)), \
                             ?2, ?3, ?4 \
                      FROM sessions WHERE id = ?1 \
                      RETURNING id";
const INSERT_CODE: &str =
    "INSERT INTO statement_codes (session, statement, code) VALUES (?1, ?2, ?3)";
// A given output replaces the pieces. Without one, the pieces are complete once the statement is
// over.
const UPDATE: &str = "UPDATE statements SET version = version + 1, state = ?3, finished = ?4, \
                          output = coalesce(?5, output), \
                          (output_chunks, output_bytes) = ( \
                              SELECT nullif(count(*), 0), sum(octet_length(text)) FROM statement_chunks \
                              WHERE session = ?1 AND statement = ?2 AND ?4 AND ?5 IS NULL), \
                          held = CASE WHEN ?4 THEN coalesce(octet_length(?5), ( \
                              SELECT sum(octet_length(text)) FROM statement_chunks \
                              WHERE session = ?1 AND statement = ?2), octet_length(output), 0) ELSE 0 END \
                      WHERE session = ?1 AND id = ?2 AND version = ?6 AND finished < 2";
const EXISTS: &str = "SELECT 1 FROM statements WHERE session = ?1 AND id = ?2";
/// Reads statements with their long code.
macro_rules! select {
    () => {
        "SELECT s.*, c.code AS long_code FROM statements s \
         LEFT JOIN statement_codes c ON c.session = s.session AND c.statement = s.id"
    };
}

pub(super) const BY_ID: &str = concat!(
    select!(),
    " WHERE s.session = ?1 AND s.id = ?2 AND finished < 2"
);
pub(super) const UNFINISHED: &str = concat!(
    select!(),
    " WHERE s.session = ?1 AND finished = 0 ORDER BY s.id"
);
pub(super) const STATEMENTS: Listing = listing! {
    select: select!(),
    from: "statements s",
    id: "s.id",
    rows: "s.session = ?1 AND finished < 2",
    bytes: "octet_length(s.code) + coalesce(octet_length(output), 0) + coalesce(( \
                SELECT octet_length(c.code) FROM statement_codes c \
                WHERE c.session = s.session AND c.statement = s.id), 0)"
};
pub(super) const TRIM: Trim = trim!(
    "statements",
    floor: "statement_floor",
    from: "0",
    row: "octet_length(code) + coalesce(octet_length(output), 0)",
    chunks: ("statement_chunks", "statement", "output_chunks"),
    texts: ("statement_codes", "code")
);

#[async_trait]
impl StatementStore for SqliteStore {
    async fn create_statement(
        &self,
        session: SessionId,
        kind: Kind,
        code: &str,
        key: Option<&NewKey>,
        webhook: Option<&Webhook>,
    ) -> Result<StatementRecord, StoreError> {
        let made = |record: &StatementRecord| Made::Statement(session, record.id);
        self.write(async |c| {
            let wishes = Wishes { key, webhook };
            with_wishes(
                c,
                wishes,
                async |c| create(c, session, kind, code).await,
                made,
            )
            .await
        })
        .await
    }

    async fn update_statement(
        &self,
        record: &mut StatementRecord,
        output: Option<&str>,
    ) -> Result<(), StoreError> {
        self.write(async |c| update(c, record, output).await).await
    }

    async fn statement(
        &self,
        session: SessionId,
        id: StatementId,
    ) -> Result<Option<StoredStatement>, StoreError> {
        self.read(async |c| by_id(c, session, id).await).await
    }

    async fn list_statements(
        &self,
        session: SessionId,
        window: Window,
    ) -> Result<Part<StoredStatement>, StoreError> {
        self.read(async |c| list(c, session, window).await).await
    }

    async fn unfinished_statements(
        &self,
        session: SessionId,
    ) -> Result<Vec<StatementRecord>, StoreError> {
        self.read(async |c| unfinished(c, session).await).await
    }

    async fn trim_statements(&self, session: SessionId, keep: u64) -> Result<(), StoreError> {
        self.trim(&TRIM, session, keep).await
    }
}

async fn create(
    connection: &mut SqliteConnection,
    session: SessionId,
    kind: Kind,
    code: &str,
) -> Result<StatementRecord, StoreError> {
    let state = StatementState::Waiting;
    let inserted = if code.len() <= SHORT_BYTES {
        insert(connection, session, kind, code).await
    } else {
        insert_long(connection, session, kind, code).await
    };
    let id = inserted
        .map_err(failed("create a statement"))?
        .ok_or("no such session")
        .map_err(failed("create a statement"))?;
    let id = StatementId(i32::try_from(id).map_err(failed("number a statement"))?);
    Ok(StatementRecord {
        session,
        id,
        version: 0,
        kind,
        code: code.into(),
        state,
    })
}

/// Inserts the row. Answers its number, if the session exists.
async fn insert(
    connection: &mut SqliteConnection,
    session: SessionId,
    kind: Kind,
    code: &str,
) -> Result<Option<i64>, sqlx::Error> {
    let insert = sqlx::query_scalar(INSERT)
        .bind(session.0)
        .bind(kind.as_str())
        .bind(json(&StatementState::Waiting))
        .bind(code);
    // Fetches all rows, though there is one: only the last fetch tells that the write was
    // committed.
    Ok(insert.fetch_all(connection).await?.first().copied())
}

async fn insert_long(
    connection: &mut SqliteConnection,
    session: SessionId,
    kind: Kind,
    code: &str,
) -> Result<Option<i64>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let Some(id) = insert(&mut transaction, session, kind, "").await? else {
        return Ok(None);
    };
    sqlx::query(INSERT_CODE)
        // A statement that is kept for later also keeps the text in memory.
        .persistent(false)
        .bind(session.0)
        .bind(id)
        .bind(code)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Some(id))
}

async fn update(
    connection: &mut SqliteConnection,
    record: &mut StatementRecord,
    output: Option<&str>,
) -> Result<(), StoreError> {
    let notice = Notice::of_statement(record, output);
    with_notice(connection, notice, async |c| {
        update_row(c, record, output).await
    })
    .await?;
    record.version += 1;
    Ok(())
}

async fn update_row(
    connection: &mut SqliteConnection,
    record: &StatementRecord,
    output: Option<&str>,
) -> Result<(), StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(record.session.0)
        .bind(record.id.0)
        .bind(json(&record.state))
        .bind(record.state.is_final())
        .bind(output)
        .bind(rows::limit(record.version));
    let done = update
        .execute(&mut *connection)
        .await
        .map_err(failed("update a statement"))?;
    let row = sqlx::query(EXISTS).bind(record.session.0).bind(record.id.0);
    let what = || format!("statement {} of session {}", record.id, record.session);
    changed(connection, done.rows_affected(), row, what).await
}

async fn by_id(
    connection: &mut SqliteConnection,
    session: SessionId,
    id: StatementId,
) -> Result<Option<StoredStatement>, StoreError> {
    let read = sqlx::query(BY_ID).bind(session.0).bind(id.0);
    let row = read
        .fetch_optional(connection)
        .await
        .map_err(failed("read a statement"))?;
    row.map(|row| rows::stored_statement(session, &row))
        .transpose()
}

async fn list(
    connection: &mut SqliteConnection,
    session: SessionId,
    window: Window,
) -> Result<Part<StoredStatement>, StoreError> {
    let read = |row: &SqliteRow| rows::stored_statement(session, row);
    let list = STATEMENTS.read(connection, session.0, window, read).await;
    list.map_err(failed("list statements"))
}

async fn unfinished(
    connection: &mut SqliteConnection,
    session: SessionId,
) -> Result<Vec<StatementRecord>, StoreError> {
    let read = sqlx::query(UNFINISHED).bind(session.0);
    let rows = read
        .fetch_all(connection)
        .await
        .map_err(failed("list unfinished statements"))?;
    Ok(rows::readable(&rows, |row| rows::statement(session, row)))
}
