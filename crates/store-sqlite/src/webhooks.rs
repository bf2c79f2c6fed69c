//! Webhooks, and the deliveries that take their place when an end is stored.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{Made, Notice, Webhook};
use livius_store::{Delivery, StoreError, WebhookCounts, WebhookStore};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use super::rows::{self, json};
use super::{SqliteStore, failed};

const ASK: &str =
    "INSERT INTO webhooks (session, statement, batch, url, host) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(super) const OF_SESSION: &str =
    "DELETE FROM webhooks WHERE session = ?1 AND statement IS ?2 RETURNING url, host";
pub(super) const OF_BATCH: &str = "DELETE FROM webhooks WHERE batch = ?1 RETURNING url, host";
/// No two deliveries have one name: a receiver drops a message whose name it knows.
const DELIVER: &str = "INSERT INTO webhook_deliveries (id, url, host, notice) \
                       VALUES ('msg_' || lower(hex(randomblob(16))), ?1, ?2, ?3)";
pub(super) const DUE: &str = "SELECT rowid AS number, id, url, host, notice, attempts, first_attempt_at FROM webhook_deliveries \
                              WHERE due_at <= ?1 AND host NOT IN (SELECT value FROM json_each(?2)) \
                              ORDER BY due_at, rowid LIMIT ?3";
const RETRY: &str = "UPDATE webhook_deliveries SET attempts = attempts + 1, \
                         first_attempt_at = coalesce(first_attempt_at, ?2), due_at = ?3, last_error = ?4 \
                     WHERE id = ?1";
const PUT_OFF: &str = "UPDATE webhook_deliveries SET due_at = ?2 \
                       WHERE rowid IN (SELECT value FROM json_each(?1))";
const DELETE: &str = "DELETE FROM webhook_deliveries WHERE id = ?1";
const COUNT: &str =
    "SELECT (SELECT count(*) FROM webhooks), (SELECT count(*) FROM webhook_deliveries)";

/// The time that a delivery waits that cannot be read: an hour, in microseconds.
const UNREADABLE_WAIT: i64 = 3_600_000_000;

#[async_trait]
impl WebhookStore for SqliteStore {
    async fn due_deliveries(
        &self,
        now: Timestamp,
        busy: &[String],
        limit: u64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (due, unreadable) = self
            .read(async |c| {
                let due = sqlx::query(DUE)
                    .bind(now.as_microsecond())
                    .bind(json(&busy))
                    .bind(rows::limit(limit))
                    .fetch_all(c)
                    .await
                    .map_err(failed("list due deliveries"))?;
                let unreadable = due.iter().filter(|row| read(row).is_err());
                let unreadable: Vec<i64> = unreadable.filter_map(number).collect();
                Ok((rows::readable(&due, delivery), unreadable))
            })
            .await?;
        if !unreadable.is_empty() {
            self.put_off(now, &unreadable).await;
        }
        Ok(due)
    }

    async fn retry_delivery(
        &self,
        id: &str,
        attempted_at: Timestamp,
        due_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        self.write(async |c| {
            let retry = sqlx::query(RETRY)
                .bind(id)
                .bind(attempted_at.as_microsecond())
                .bind(due_at.as_microsecond())
                .bind(error);
            let done = retry.execute(c).await;
            done.map_err(failed("put off a delivery")).map(|_| ())
        })
        .await
    }

    async fn delete_delivery(&self, id: &str) -> Result<bool, StoreError> {
        let deleted = self
            .write(async |c| {
                let done = sqlx::query(DELETE).bind(id).execute(c).await;
                done.map_err(failed("delete a delivery"))
            })
            .await?;
        // A URL may have a secret in it.
        self.traces.remain();
        Ok(deleted.rows_affected() > 0)
    }

    async fn count_webhooks(&self) -> Result<WebhookCounts, StoreError> {
        self.read(async |c| {
            let counted = sqlx::query_as(COUNT).fetch_one(c).await;
            let (asked, waiting) = counted.map_err(failed("count webhooks"))?;
            Ok(WebhookCounts {
                asked: rows::count(asked),
                waiting: rows::count(waiting),
            })
        })
        .await
    }
}

impl SqliteStore {
    /// Has deliveries that cannot be read wait. Otherwise they would stay the first that are due: they
    /// would take the places of others, and be told in the log at every call. They are kept, because a
    /// later server may be able to read them.
    async fn put_off(&self, now: Timestamp, unreadable: &[i64]) {
        let until = now.as_microsecond().saturating_add(UNREADABLE_WAIT);
        let put_off = sqlx::query(PUT_OFF).bind(json(&unreadable)).bind(until);
        let done = self
            .write(async |c| {
                let done = put_off.execute(c).await;
                done.map_err(failed("put off deliveries that cannot be read"))
            })
            .await;
        if let Err(error) = done {
            tracing::warn!(error = %livius_domain::chain(&error), "deliveries that cannot be read stay due");
        }
    }
}

/// Stores the webhook of something, in the transaction that creates it.
pub(super) async fn ask(
    connection: &mut SqliteConnection,
    made: Made,
    webhook: &Webhook,
) -> Result<(), StoreError> {
    let (session, statement, batch) = match made {
        Made::Session(id) => (Some(id.0), None, None),
        Made::Statement(session, id) => (Some(session.0), Some(id.0), None),
        Made::Batch(id) => (None, None, Some(id.0)),
        Made::Job(..) | Made::File(..) => {
            return Err(failed("store a webhook")("jobs and files have none"));
        }
    };
    let ask = sqlx::query(ASK)
        .bind(session)
        .bind(statement)
        .bind(batch)
        .bind(&webhook.url)
        .bind(&webhook.host);
    let asked = ask.execute(connection).await;
    asked.map_err(failed("store a webhook")).map(|_| ())
}

/// Takes the webhooks of something away. Answers the URLs and hosts of those that can be read: one
/// that cannot must not keep an end from being stored.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    made: Made,
) -> Result<Vec<(String, String)>, StoreError> {
    let take = match made {
        Made::Session(id) => sqlx::query(OF_SESSION).bind(id.0).bind(None::<i32>),
        Made::Statement(session, id) => sqlx::query(OF_SESSION).bind(session.0).bind(id.0),
        Made::Batch(id) => sqlx::query(OF_BATCH).bind(id.0),
        Made::Job(..) | Made::File(..) => return Ok(Vec::new()),
    };
    let taken = take.fetch_all(connection).await;
    let taken = taken.map_err(failed("take a webhook"))?;
    Ok(rows::readable(&taken, |row| {
        place(row).map_err(|source| rows::corrupt(format!("the webhook of {made}"), source.into()))
    }))
}

/// The URL and the host of a webhook.
fn place(row: &SqliteRow) -> Result<(String, String), sqlx::Error> {
    Ok((row.try_get("url")?, row.try_get("host")?))
}

/// Runs an update. If it stores an end, deliveries of the notice take the place of the webhooks, in
/// one transaction.
pub(super) async fn with_notice(
    connection: &mut SqliteConnection,
    notice: Option<Notice>,
    update: impl AsyncFnOnce(&mut SqliteConnection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let Some(notice) = notice else {
        return update(connection).await;
    };
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to store an end"))?;
    update(&mut transaction).await?;
    for (url, host) in take(&mut transaction, notice.of.made()).await? {
        sqlx::query(DELIVER)
            .bind(url)
            .bind(host)
            .bind(json(&notice))
            .execute(&mut *transaction)
            .await
            .map_err(failed("store a delivery"))?;
    }
    transaction.commit().await.map_err(failed("store an end"))
}

fn number(row: &SqliteRow) -> Option<i64> {
    row.try_get("number").ok()
}

fn delivery(row: &SqliteRow) -> Result<Delivery, StoreError> {
    read(row).map_err(|source| rows::corrupt("a delivery".to_owned(), source))
}

fn read(row: &SqliteRow) -> Result<Delivery, rows::Failure> {
    let first: Option<i64> = row.try_get("first_attempt_at")?;
    Ok(Delivery {
        id: row.try_get("id")?,
        url: row.try_get("url")?,
        host: row.try_get("host")?,
        notice: row.try_get("notice")?,
        attempts: row.try_get("attempts")?,
        first_attempt_at: first.map(Timestamp::from_microsecond).transpose()?,
    })
}
