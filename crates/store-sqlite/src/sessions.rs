//! Sessions.

use jiff::Timestamp;
use livius_domain::session::Start;
use livius_domain::{SessionId, SessionRecord, SessionState};
use sqlx::{Connection, SqliteConnection};

use super::listing::Listing;
use super::rows::{self, json, optional_json};
use super::{counters, failed, one_row};
use livius_store::{NewSession, StoreError, Window};

const INSERT: &str = "INSERT INTO sessions (id, created_at, last_activity, name, owner, proxy_user, state, request) \
                      VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7) \
                      ON CONFLICT (name) WHERE listed = 1 AND ended_at IS NULL AND name IS NOT NULL DO NOTHING";
const UPDATE: &str = "UPDATE sessions SET proxy_user = ?2, state = ?3, app = ?4, driver = ?5, last_activity = ?6, ended_at = ?7 \
                      WHERE id = ?1";
const BY_ID: &str = "SELECT * FROM sessions WHERE id = ?1 AND listed = 1";
const BY_NAME: &str = "SELECT * FROM sessions WHERE name = ?1 AND listed = 1 AND name IS NOT NULL \
                       ORDER BY ended_at IS NULL DESC, id DESC LIMIT 1";
const LISTING: Listing = Listing {
    count: "SELECT count(*) FROM sessions WHERE listed = 1",
    up: "SELECT * FROM sessions WHERE listed = 1 ORDER BY id LIMIT ?1 OFFSET ?2",
    down: "SELECT * FROM sessions WHERE listed = 1 ORDER BY id DESC LIMIT ?1 OFFSET ?2",
};
const UNENDED: &str = "SELECT * FROM sessions WHERE ended_at IS NULL ORDER BY id";
const UNLIST: &str = "UPDATE sessions SET listed = 0 WHERE id = ?1 AND listed = 1";
// All that belongs to a session goes with it (ON DELETE CASCADE).
const PURGE: &str = "DELETE FROM sessions WHERE id IN ( \
                         SELECT id FROM sessions WHERE ended_at < ?1 \
                         UNION \
                         SELECT id FROM ( \
                             SELECT id FROM sessions WHERE ended_at IS NOT NULL \
                             ORDER BY ended_at DESC, id DESC LIMIT -1 OFFSET ?2)) \
                     RETURNING *";

pub(super) async fn create(
    connection: &mut SqliteConnection,
    new: NewSession,
) -> Result<SessionRecord, StoreError> {
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to create a session"))?;
    let number = counters::take(&mut transaction, "session", "number a session").await?;
    let record = first_record(SessionId(number), new)?;
    let inserted = insert(&mut transaction, &record).await?;
    // A refusal is committed too, for the number.
    transaction
        .commit()
        .await
        .map_err(failed("create a session"))?;
    match record.request.submit.name {
        Some(name) if !inserted => Err(StoreError::DuplicateName {
            name,
            attempted: number,
        }),
        _ => Ok(record),
    }
}

pub(super) async fn update(
    connection: &mut SqliteConnection,
    record: &SessionRecord,
) -> Result<(), StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(record.id.0)
        .bind(&record.proxy_user)
        .bind(json(&record.state))
        .bind(optional_json(record.app.as_ref()))
        .bind(optional_json(record.driver.as_ref()))
        .bind(record.last_activity.as_microsecond())
        .bind(record.ended_at.map(Timestamp::as_microsecond));
    let done = update
        .execute(connection)
        .await
        .map_err(failed("update a session"))?;
    one_row("update a session", done.rows_affected())
}

pub(super) async fn by_id(
    connection: &mut SqliteConnection,
    id: SessionId,
) -> Result<Option<SessionRecord>, StoreError> {
    let row = sqlx::query(BY_ID)
        .bind(id.0)
        .fetch_optional(connection)
        .await
        .map_err(failed("read a session"))?;
    row.as_ref().map(rows::session).transpose()
}

pub(super) async fn by_name(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<SessionRecord>, StoreError> {
    let row = sqlx::query(BY_NAME)
        .bind(name)
        .fetch_optional(connection)
        .await
        .map_err(failed("read a session"))?;
    row.as_ref().map(rows::session).transpose()
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    window: Window,
) -> Result<(u64, Vec<SessionRecord>), StoreError> {
    let (total, rows) = LISTING
        .read(connection, window)
        .await
        .map_err(failed("list sessions"))?;
    Ok((total, rows::readable(&rows, rows::session)))
}

pub(super) async fn unended(
    connection: &mut SqliteConnection,
) -> Result<Vec<SessionRecord>, StoreError> {
    let rows = sqlx::query(UNENDED)
        .fetch_all(connection)
        .await
        .map_err(failed("list the sessions that have not ended"))?;
    Ok(rows::readable(&rows, rows::session))
}

pub(super) async fn unlist(
    connection: &mut SqliteConnection,
    id: SessionId,
) -> Result<bool, StoreError> {
    let done = sqlx::query(UNLIST)
        .bind(id.0)
        .execute(connection)
        .await
        .map_err(failed("take a session off the list"))?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn purge(
    connection: &mut SqliteConnection,
    ended_before: Timestamp,
    keep: u64,
) -> Result<Vec<SessionRecord>, StoreError> {
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to delete ended sessions"))?;
    let purge = sqlx::query(PURGE)
        .bind(ended_before.as_microsecond())
        .bind(rows::limit(keep));
    let rows = purge
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed("delete ended sessions"))?;
    transaction
        .commit()
        .await
        .map_err(failed("delete ended sessions"))?;
    let mut gone = rows::readable(&rows, rows::session);
    gone.sort_by_key(|record| record.id);
    Ok(gone)
}

/// What is answered must be what will be read, so the time has the store's precision from the start.
fn first_record(id: SessionId, new: NewSession) -> Result<SessionRecord, StoreError> {
    let stored = Timestamp::from_microsecond(new.created_at.as_microsecond());
    let created_at = stored.map_err(failed("take the time of a session"))?;
    Ok(SessionRecord {
        id,
        request: new.request,
        owner: new.owner,
        proxy_user: new.proxy_user,
        state: SessionState::Starting {
            step: Start::Queued,
        },
        app: None,
        driver: None,
        created_at,
        last_activity: created_at,
        ended_at: None,
    })
}

/// Answers false when the name is taken.
async fn insert(
    connection: &mut SqliteConnection,
    record: &SessionRecord,
) -> Result<bool, StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(record.id.0)
        .bind(record.created_at.as_microsecond())
        .bind(&record.request.submit.name)
        .bind(&record.owner)
        .bind(&record.proxy_user)
        .bind(json(&record.state))
        .bind(json(&record.request));
    let done = insert
        .execute(connection)
        .await
        .map_err(failed("create a session"))?;
    Ok(done.rows_affected() > 0)
}
