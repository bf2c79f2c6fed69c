//! Batches.

use jiff::Timestamp;
use livius_domain::{BatchId, BatchRecord, BatchState, BatchTimes};
use sqlx::{Connection, SqliteConnection};

use super::listing::Listing;
use super::rows::{self, json, optional_json};
use super::{counters, failed, one_row};
use livius_store::{NewBatch, StoreError, Window};

const INSERT: &str = "INSERT INTO batches (id, name, owner, proxy_user, state, times, request) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
                      ON CONFLICT (name) WHERE listed = 1 AND ended_at IS NULL AND name IS NOT NULL DO NOTHING";
const UPDATE: &str = "UPDATE batches SET proxy_user = ?2, state = ?3, times = ?4, app = ?5, driver = ?6, ended_at = ?7 \
                      WHERE id = ?1";
pub(super) const BY_ID: &str = "SELECT * FROM batches WHERE id = ?1 AND listed = 1";
// Thousands may have had the name, one after the other: the indexes alone find the one that is meant.
pub(super) const BY_NAME: &str = "SELECT * FROM batches WHERE id = coalesce( \
                                      (SELECT id FROM batches WHERE name = ?1 AND listed = 1 AND ended_at IS NULL), \
                                      (SELECT max(id) FROM batches WHERE name = ?1 AND listed = 1))";
pub(super) const LISTING: Listing = Listing {
    count: "SELECT count(*) FROM batches WHERE listed = 1",
    up: "SELECT * FROM batches WHERE listed = 1 ORDER BY id LIMIT ?1 OFFSET ?2",
    down: "SELECT * FROM batches WHERE listed = 1 ORDER BY id DESC LIMIT ?1 OFFSET ?2",
};
pub(super) const UNENDED: &str = "SELECT * FROM batches WHERE ended_at IS NULL ORDER BY id";
const UNLIST: &str = "UPDATE batches SET listed = 0 WHERE id = ?1 AND listed = 1";
// Both rules take the oldest, so the one that takes more has taken what the other would. Not more than 1 000 at once, as nobody else can
// write meanwhile and all of them are in memory.
pub(super) const PURGE: &str = "DELETE FROM batches WHERE id IN ( \
                                    SELECT id FROM batches WHERE ended_at IS NOT NULL ORDER BY ended_at, id \
                                    LIMIT min(1000, max( \
                                        (SELECT count(*) FROM batches WHERE ended_at < ?1), \
                                        (SELECT count(*) FROM batches WHERE ended_at IS NOT NULL) - ?2))) \
                                RETURNING *";

pub(super) async fn create(
    connection: &mut SqliteConnection,
    new: NewBatch,
) -> Result<BatchRecord, StoreError> {
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to create a batch"))?;
    let number = counters::take(&mut transaction, "batch", "number a batch").await?;
    let record = first_record(BatchId(number), new);
    let inserted = insert(&mut transaction, &record).await?;
    // A refusal is committed too, for the number.
    transaction
        .commit()
        .await
        .map_err(failed("create a batch"))?;
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
    record: &BatchRecord,
) -> Result<(), StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(record.id.0)
        .bind(&record.proxy_user)
        .bind(json(&record.state))
        .bind(json(&record.times))
        .bind(optional_json(record.app.as_ref()))
        .bind(optional_json(record.driver.as_ref()))
        .bind(record.times.ended_at.map(Timestamp::as_microsecond));
    let done = update
        .execute(connection)
        .await
        .map_err(failed("update a batch"))?;
    one_row("update a batch", done.rows_affected())
}

pub(super) async fn by_id(
    connection: &mut SqliteConnection,
    id: BatchId,
) -> Result<Option<BatchRecord>, StoreError> {
    let row = sqlx::query(BY_ID)
        .bind(id.0)
        .fetch_optional(connection)
        .await
        .map_err(failed("read a batch"))?;
    row.as_ref().map(rows::batch).transpose()
}

pub(super) async fn by_name(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<BatchRecord>, StoreError> {
    let row = sqlx::query(BY_NAME)
        .bind(name)
        .fetch_optional(connection)
        .await
        .map_err(failed("read a batch"))?;
    row.as_ref().map(rows::batch).transpose()
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    window: Window,
) -> Result<(u64, Vec<BatchRecord>), StoreError> {
    let (total, rows) = LISTING
        .read(connection, window)
        .await
        .map_err(failed("list batches"))?;
    Ok((total, rows::readable(&rows, rows::batch)))
}

pub(super) async fn unended(
    connection: &mut SqliteConnection,
) -> Result<Vec<BatchRecord>, StoreError> {
    let rows = sqlx::query(UNENDED)
        .fetch_all(connection)
        .await
        .map_err(failed("list the batches that have not ended"))?;
    Ok(rows::readable(&rows, rows::batch))
}

pub(super) async fn unlist(
    connection: &mut SqliteConnection,
    id: BatchId,
) -> Result<bool, StoreError> {
    let done = sqlx::query(UNLIST)
        .bind(id.0)
        .execute(connection)
        .await
        .map_err(failed("take a batch off the list"))?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn purge(
    connection: &mut SqliteConnection,
    ended_before: Timestamp,
    keep: u64,
) -> Result<Vec<BatchRecord>, StoreError> {
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to delete ended batches"))?;
    let purge = sqlx::query(PURGE)
        .bind(ended_before.as_microsecond())
        .bind(rows::limit(keep));
    let rows = purge
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed("delete ended batches"))?;
    transaction
        .commit()
        .await
        .map_err(failed("delete ended batches"))?;
    let mut gone = rows::readable(&rows, rows::batch);
    gone.sort_by_key(|record| record.id);
    Ok(gone)
}

fn first_record(id: BatchId, new: NewBatch) -> BatchRecord {
    BatchRecord {
        id,
        request: new.request,
        owner: new.owner,
        proxy_user: new.proxy_user,
        state: BatchState::NEW,
        app: None,
        driver: None,
        times: BatchTimes::new(new.created_at),
    }
}

/// Answers false when the name is taken.
async fn insert(
    connection: &mut SqliteConnection,
    record: &BatchRecord,
) -> Result<bool, StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(record.id.0)
        .bind(&record.request.submit.name)
        .bind(&record.owner)
        .bind(&record.proxy_user)
        .bind(json(&record.state))
        .bind(json(&record.times))
        .bind(json(&record.request));
    let done = insert
        .execute(connection)
        .await
        .map_err(failed("create a batch"))?;
    Ok(done.rows_affected() > 0)
}
