//! Batches.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{BatchId, BatchRecord, BatchState, BatchTimes, DriverId, Made, Notice};
use livius_store::{
    BatchStore, BatchSummary, Found, NewBatch, Part, Search, StoreError, Unended, Visible, Window,
};
use sqlx::{Connection, SqliteConnection};

use super::listed::{Listed, listed};
use super::rows::{self, json, optional_json};
use super::search::Searched;
use super::webhooks::with_notice;
use super::{SqliteStore, changed, counters, failed, keyed, webhooks};

const INSERT: &str = "INSERT INTO batches (id, name, owner, proxy_user, state, times, request, state_name, created_at) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                      ON CONFLICT (name) WHERE listed = 1 AND ended_at IS NULL AND name IS NOT NULL DO NOTHING";
const UPDATE: &str = "UPDATE batches SET version = version + 1, proxy_user = ?3, state = ?4, times = ?5, app = ?6, driver = ?7, \
                          ended_at = ?8, request = coalesce(?9, request), last_lines = ?10, state_name = ?11, created_at = ?12 \
                      WHERE id = ?1 AND version = ?2";
pub(super) const BATCHES: Listed<BatchRecord> = listed!("batches", rows::batch);
/// Batches have no kind.
pub(super) const SEARCHED: Searched = Searched {
    table: "batches",
    kind: "?4 IS NULL",
    made: "batch",
};

#[async_trait]
impl BatchStore for SqliteStore {
    async fn create_batch(&self, new: NewBatch) -> Result<BatchRecord, StoreError> {
        self.write_durably(async |c| create(c, new).await).await
    }

    async fn update_batch(&self, record: &mut BatchRecord) -> Result<(), StoreError> {
        let ended = record.times.ended_at.is_some();
        self.write_as(ended, async |c| update(c, record).await)
            .await?;
        if ended {
            self.traces.remain();
        }
        Ok(())
    }

    async fn batch(&self, id: BatchId) -> Result<Option<BatchRecord>, StoreError> {
        self.read(async |c| BATCHES.by_id(c, id.0).await).await
    }

    async fn batch_named(&self, name: &str) -> Result<Option<BatchRecord>, StoreError> {
        self.read(async |c| BATCHES.by_name(c, name).await).await
    }

    async fn batch_summaries(&self, ids: &[BatchId]) -> Result<Vec<BatchSummary>, StoreError> {
        let ids: Vec<i32> = ids.iter().map(|id| id.0).collect();
        self.read(async |c| BATCHES.summaries(c, &ids, rows::batch_summary).await)
            .await
    }

    async fn list_batches(
        &self,
        visible: Visible<'_>,
        window: Window,
    ) -> Result<Part<BatchRecord>, StoreError> {
        self.read(async |c| BATCHES.list(c, visible, window).await)
            .await
    }

    async fn search_batches(
        &self,
        visible: Visible<'_>,
        search: Search<'_>,
    ) -> Result<Found<BatchRecord>, StoreError> {
        self.read(async |c| {
            let found = SEARCHED.find(c, visible, &search, rows::batch).await;
            found.map_err(failed("search batches"))
        })
        .await
    }

    async fn unended_batches(&self) -> Result<Vec<Unended<BatchRecord>>, StoreError> {
        self.read(async |c| BATCHES.unended(c).await).await
    }

    async fn unlist_batch(&self, id: BatchId) -> Result<bool, StoreError> {
        self.write(async |c| BATCHES.unlist(c, id.0).await).await
    }

    async fn purge_batches(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<BatchRecord>, StoreError> {
        let gone = self
            .write(async |c| purge(c, ended_before, keep).await)
            .await?;
        if gone.is_empty() {
            self.tidy().await?;
        }
        Ok(gone)
    }
}

async fn create(
    connection: &mut SqliteConnection,
    mut new: NewBatch,
) -> Result<BatchRecord, StoreError> {
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to create a batch"))?;
    let number = counters::take(&mut transaction, "batch", "number a batch").await?;
    let (key, webhook) = (new.key.take(), new.webhook.take());
    let record = first_record(BatchId(number), new);
    let inserted = insert(&mut transaction, &record).await?;
    if inserted && let Some(key) = key {
        keyed::insert(&mut transaction, &key, Made::Batch(record.id)).await?;
    }
    if inserted && let Some(webhook) = webhook {
        webhooks::ask(&mut transaction, Made::Batch(record.id), &webhook).await?;
    }
    // A refusal is committed, too: its number is used up.
    transaction
        .commit()
        .await
        .map_err(failed("create a batch"))?;
    match record.request.submit.name.clone() {
        Some(name) if !inserted => Err(StoreError::DuplicateName {
            name,
            attempted: number,
        }),
        _ => Ok(record),
    }
}

async fn update(
    connection: &mut SqliteConnection,
    record: &mut BatchRecord,
) -> Result<(), StoreError> {
    let notice = Notice::of_batch(record);
    with_notice(connection, notice, async |c| update_row(c, record).await).await?;
    record.version += 1;
    Ok(())
}

async fn update_row(
    connection: &mut SqliteConnection,
    record: &BatchRecord,
) -> Result<(), StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(record.id.0)
        .bind(rows::limit(record.version))
        .bind(&record.proxy_user)
        .bind(json(&record.state))
        .bind(json(&record.times))
        .bind(optional_json(record.app.as_ref()))
        .bind(record.driver.as_ref().map(DriverId::as_str))
        .bind(record.times.ended_at.map(Timestamp::as_microsecond))
        .bind(record.times.ended_at.map(|_| json(&*record.request)))
        .bind(optional_json(record.last_lines.as_ref()))
        .bind(record.state.name())
        .bind(record.times.created_at.as_microsecond());
    let done = update
        .execute(&mut *connection)
        .await
        .map_err(failed("update a batch"))?;
    let row = sqlx::query(BATCHES.exists).bind(record.id.0);
    let what = || format!("batch {}", record.id);
    changed(connection, done.rows_affected(), row, what).await
}

async fn purge(
    connection: &mut SqliteConnection,
    ended_before: Timestamp,
    keep: u64,
) -> Result<Vec<BatchRecord>, StoreError> {
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to delete ended batches"))?;
    let doomed = BATCHES.doom(&mut transaction, ended_before, keep).await?;
    let gone = BATCHES.delete(&mut transaction, &json(&doomed)).await?;
    transaction
        .commit()
        .await
        .map_err(failed("delete ended batches"))?;
    Ok(gone)
}

fn first_record(id: BatchId, new: NewBatch) -> BatchRecord {
    BatchRecord {
        id,
        version: 0,
        request: Arc::new(new.request),
        owner: new.owner,
        proxy_user: new.proxy_user,
        state: BatchState::NEW,
        app: None,
        driver: None,
        times: BatchTimes::new(new.created_at),
        last_lines: None,
    }
}

/// Inserts the row. Answers false when the name is taken.
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
        .bind(json(&*record.request))
        .bind(record.state.name())
        .bind(record.times.created_at.as_microsecond());
    let done = insert
        .execute(connection)
        .await
        .map_err(failed("create a batch"))?;
    Ok(done.rows_affected() > 0)
}
