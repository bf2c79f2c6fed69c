//! Statements.

use async_trait::async_trait;
use livius_domain::{Kind, SessionId, StatementId, StatementRecord, StatementState};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, SqliteConnection};

use super::rows::{self, json};
use super::{SqliteStore, changed, failed};
use livius_store::{StatementStore, StoreError, StoredStatement, Window};

// Statements are written most often, so each write is one SQL statement where possible: it commits
// by itself.
const INSERT: &str = "INSERT INTO statements (session, id, kind, state, code) \
                      SELECT id, \
                             max(statement_floor, coalesce((SELECT max(id) + 1 FROM statements WHERE session = ?1), 0)), \
                             ?2, ?3, ?4 \
                      FROM sessions WHERE id = ?1 \
                      RETURNING id";
// A given output replaces the pieces. Without one, the pieces are complete once the statement is
// over.
const UPDATE: &str = "UPDATE statements SET version = version + 1, state = ?3, finished = ?4, \
                          output = coalesce(?5, output), \
                          (output_chunks, output_bytes) = ( \
                              SELECT nullif(count(*), 0), sum(octet_length(text)) FROM statement_chunks \
                              WHERE session = ?1 AND statement = ?2 AND ?4 AND ?5 IS NULL) \
                      WHERE session = ?1 AND id = ?2 AND version = ?6";
const EXISTS: &str = "SELECT 1 FROM statements WHERE session = ?1 AND id = ?2";
const BY_ID: &str = "SELECT * FROM statements WHERE session = ?1 AND id = ?2";
const COUNT: &str = "SELECT count(*) FROM statements WHERE session = ?1";
const LIST_UP: &str = "SELECT * FROM statements WHERE session = ?1 ORDER BY id LIMIT ?2 OFFSET ?3";
const LIST_DOWN: &str =
    "SELECT * FROM statements WHERE session = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3";
const UNFINISHED: &str = "SELECT id, version, kind, state, code FROM statements WHERE session = ?1 AND finished = 0 ORDER BY id";
const RAISE_FLOOR: &str = "UPDATE sessions SET statement_floor = max(statement_floor, \
                               coalesce((SELECT max(id) + 1 FROM statements WHERE session = ?1), 0)) \
                           WHERE id = ?1";
const TRIM: &str = "DELETE FROM statements WHERE session = ?1 AND finished = 1 AND id <= ( \
                        SELECT id FROM statements WHERE session = ?1 AND finished = 1 \
                        ORDER BY id DESC LIMIT 1 OFFSET ?2)";

#[async_trait]
impl StatementStore for SqliteStore {
    async fn create_statement(
        &self,
        session: SessionId,
        kind: Kind,
        code: &str,
    ) -> Result<StatementRecord, StoreError> {
        self.write(async |c| create(c, session, kind, code).await)
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
    ) -> Result<(u64, Vec<StoredStatement>), StoreError> {
        self.read(async |c| list(c, session, window).await).await
    }

    async fn unfinished_statements(
        &self,
        session: SessionId,
    ) -> Result<Vec<StatementRecord>, StoreError> {
        self.read(async |c| unfinished(c, session).await).await
    }

    async fn trim_statements(&self, session: SessionId, keep: u64) -> Result<(), StoreError> {
        self.write(async |c| trim(c, session, keep).await).await
    }
}

async fn create(
    connection: &mut SqliteConnection,
    session: SessionId,
    kind: Kind,
    code: &str,
) -> Result<StatementRecord, StoreError> {
    let state = StatementState::Waiting;
    let insert = sqlx::query_scalar(INSERT)
        .bind(session.0)
        .bind(kind.as_str())
        .bind(json(&state))
        .bind(code);
    // Fetches all rows, though there is one: only the last fetch tells that the write was
    // committed.
    let ids: Vec<i64> = insert
        .fetch_all(connection)
        .await
        .map_err(failed("create a statement"))?;
    let id = *ids
        .first()
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

async fn update(
    connection: &mut SqliteConnection,
    record: &mut StatementRecord,
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
    changed(connection, done.rows_affected(), row, what).await?;
    record.version += 1;
    Ok(())
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
) -> Result<(u64, Vec<StoredStatement>), StoreError> {
    let (total, rows) = read_list(connection, session, window)
        .await
        .map_err(failed("list statements"))?;
    let statements = rows::readable(&rows, |row| rows::stored_statement(session, row));
    Ok((rows::count(total), statements))
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

async fn trim(
    connection: &mut SqliteConnection,
    session: SessionId,
    keep: u64,
) -> Result<(), StoreError> {
    let trim = async {
        // Kept rows have higher numbers than deleted ones, so a new number cannot be that of a
        // deleted row. Only when no row is kept must the floor be stored.
        if keep > 0 {
            return delete_excess(connection, session, keep).await;
        }
        let mut transaction = connection.begin().await?;
        sqlx::query(RAISE_FLOOR)
            .bind(session.0)
            .execute(&mut *transaction)
            .await?;
        delete_excess(&mut transaction, session, keep).await?;
        transaction.commit().await
    };
    trim.await.map_err(failed("delete old statements"))
}

async fn delete_excess(
    connection: &mut SqliteConnection,
    session: SessionId,
    keep: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query(TRIM)
        .bind(session.0)
        .bind(rows::limit(keep))
        .execute(connection)
        .await?;
    Ok(())
}

/// Counts and reads within one transaction, so that both agree.
async fn read_list(
    connection: &mut SqliteConnection,
    session: SessionId,
    window: Window,
) -> Result<(i64, Vec<SqliteRow>), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let total = sqlx::query_scalar(COUNT)
        .bind(session.0)
        .fetch_one(&mut *transaction)
        .await?;
    let list = sqlx::query(if window.descending {
        LIST_DOWN
    } else {
        LIST_UP
    })
    .bind(session.0)
    .bind(rows::limit(window.limit))
    .bind(rows::limit(window.offset));
    let rows = list.fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    Ok((total, rows))
}
