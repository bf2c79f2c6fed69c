//! Keys of requests.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{BatchId, JobId, Made, ResourceId, SessionId, StatementId};
use livius_store::{KeptAnswer, KeyBounds, KeyRecord, KeyStore, NewKey, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row as _, SqliteConnection};

use super::batches::BATCHES;
use super::keyed::{Columns, insert_row};
use super::rows::{self, json};
use super::sessions::SESSIONS;
use super::{SqliteStore, failed, webhooks};

pub(super) const BY_KEY: &str = "SELECT k.*, a.status, a.location, a.content_type, a.body FROM request_keys k \
                                 LEFT JOIN key_answers a ON a.key = k.id \
                                 WHERE k.caller = ?1 AND k.key = ?2";
/// An answer about a session or batch that is gone is not kept.
pub(super) const INSERT_ANSWER: &str = "INSERT INTO key_answers (key, session, batch, status, location, content_type, bytes, body) \
     SELECT k.id, s.id, b.id, ?3, ?4, ?5, octet_length(?6), ?6 FROM request_keys k \
     LEFT JOIN sessions s ON s.id = CASE k.kind WHEN 'session' THEN k.number ELSE k.session END \
     LEFT JOIN batches b ON k.kind = 'batch' AND b.id = k.number \
     WHERE k.caller = ?1 AND k.key = ?2 AND (k.kind IS NULL OR s.id IS NOT NULL OR b.id IS NOT NULL) \
     ON CONFLICT (key) DO NOTHING";
pub(super) const FREE: &str = "DELETE FROM request_keys WHERE caller = ?1 AND key = ?2";
pub(super) const FREE_MADE: &str =
    "DELETE FROM request_keys WHERE kind = ?1 AND session IS NULL AND number = ?2";
/// Both rules take the oldest rows, so the rule that takes more covers the other. No other write
/// runs meanwhile, so one call takes some of the rows.
pub(super) const PURGE: &str = "DELETE FROM request_keys WHERE id IN ( \
                                    SELECT id FROM request_keys ORDER BY made_at, id \
                                    LIMIT min(256, max( \
                                        (SELECT count(*) FROM request_keys WHERE made_at < ?1), \
                                        (SELECT count(*) FROM request_keys) - ?2)))";
/// No answer is that long. The length of a damaged row counts as 0: a sum must not overflow, and other
/// answers must not be deleted because of it.
macro_rules! bytes {
    () => {
        "iif(bytes BETWEEN 0 AND 1073741824, bytes, 0)"
    };
}
pub(super) const ANSWER_BYTES: &str =
    concat!("SELECT coalesce(sum(", bytes!(), "), 0) FROM key_answers");
/// The oldest answers that have so many bytes together.
pub(super) const OLDEST_ANSWERS: &str = concat!(
    "SELECT key FROM ( \
         SELECT key, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes AS before FROM ( \
             SELECT key, ",
    bytes!(),
    " AS bytes FROM key_answers ORDER BY key LIMIT 256)) \
     WHERE before < ?1"
);
const PURGE_UNMADE: &str =
    "DELETE FROM request_keys WHERE kind IS NULL AND id IN (SELECT value FROM json_each(?1))";
const PURGE_ANSWERS: &str =
    "DELETE FROM key_answers WHERE key IN (SELECT value FROM json_each(?1))";

#[async_trait]
impl KeyStore for SqliteStore {
    async fn key(&self, caller: &str, key: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.read(async |c| by_key(c, caller, key).await).await
    }

    async fn keep_answer(&self, key: &NewKey, answer: &KeptAnswer) -> Result<(), StoreError> {
        self.write(async |c| {
            keep_answer(c, key, answer)
                .await
                .map_err(failed("keep an answer"))
        })
        .await
    }

    async fn free_key(&self, caller: &str, key: &str) -> Result<(), StoreError> {
        self.write(async |c| {
            let free = sqlx::query(FREE).bind(caller).bind(key).execute(c).await;
            free.map_err(failed("free a key")).map(|_| ())
        })
        .await
    }

    async fn withdraw(&self, made: Made) -> Result<(), StoreError> {
        self.write(async |c| withdraw(c, made).await).await
    }

    async fn purge_keys(&self, bounds: KeyBounds) -> Result<u64, StoreError> {
        self.write(async |c| purge(c, bounds).await.map_err(failed("delete old keys")))
            .await
    }
}

fn made(kind: &str, session: Option<i32>, number: i32) -> Option<Made> {
    let session = session.map(SessionId);
    Some(match (kind, session) {
        ("session", None) => Made::Session(SessionId(number)),
        ("batch", None) => Made::Batch(BatchId(number)),
        ("statement", Some(session)) => Made::Statement(session, StatementId(number)),
        ("job", Some(session)) => Made::Job(session, JobId(number)),
        ("file", Some(session)) => Made::File(session, ResourceId(number)),
        _ => return None,
    })
}

async fn by_key(
    connection: &mut SqliteConnection,
    caller: &str,
    key: &str,
) -> Result<Option<KeyRecord>, StoreError> {
    let row = sqlx::query(BY_KEY)
        .bind(caller)
        .bind(key)
        .fetch_optional(connection)
        .await
        .map_err(failed("read a key"))?;
    let record = row.as_ref().map(record).transpose();
    record.map_err(|source| rows::corrupt("a key".to_owned(), source))
}

fn record(row: &SqliteRow) -> Result<KeyRecord, rows::Failure> {
    let fingerprint: Vec<u8> = row.try_get("fingerprint")?;
    let kind: Option<String> = row.try_get("kind")?;
    let made = match kind {
        Some(kind) => Some(
            made(&kind, row.try_get("session")?, row.try_get("number")?)
                .ok_or("it made nothing that this version knows")?,
        ),
        None => None,
    };
    let status: Option<u16> = row.try_get("status")?;
    let answer = match status {
        Some(status) => Some(KeptAnswer {
            status,
            location: row.try_get("location")?,
            content_type: row.try_get("content_type")?,
            body: row.try_get("body")?,
        }),
        None => None,
    };
    Ok(KeyRecord {
        request: row.try_get("request")?,
        fingerprint: fingerprint
            .try_into()
            .map_err(|_| "its fingerprint has another length")?,
        made_at: Timestamp::from_microsecond(row.try_get("made_at")?)?,
        made,
        answer,
    })
}

async fn keep_answer(
    connection: &mut SqliteConnection,
    key: &NewKey,
    answer: &KeptAnswer,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    insert_row(&mut transaction, key, None).await?;
    sqlx::query(INSERT_ANSWER)
        .bind(&key.caller)
        .bind(&key.key)
        .bind(answer.status)
        .bind(&answer.location)
        .bind(&answer.content_type)
        .bind(&answer.body)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

async fn withdraw(connection: &mut SqliteConnection, made: Made) -> Result<(), StoreError> {
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to withdraw"))?;
    match made {
        Made::Session(id) => SESSIONS.unlist(&mut transaction, id.0).await?,
        Made::Batch(id) => BATCHES.unlist(&mut transaction, id.0).await?,
        Made::Statement(..) | Made::Job(..) | Made::File(..) => {
            return Err(failed("withdraw")("only sessions and batches are listed"));
        }
    };
    webhooks::take(&mut transaction, made).await?;
    let made = Columns::of(made);
    sqlx::query(FREE_MADE)
        .bind(made.kind)
        .bind(made.number)
        .execute(&mut *transaction)
        .await
        .map_err(failed("free a key"))?;
    transaction.commit().await.map_err(failed("withdraw"))
}

async fn purge(connection: &mut SqliteConnection, bounds: KeyBounds) -> Result<u64, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let keys = sqlx::query(PURGE)
        .bind(bounds.made_before.as_microsecond())
        .bind(rows::limit(bounds.keys))
        .execute(&mut *transaction)
        .await?;
    let held: i64 = sqlx::query_scalar(ANSWER_BYTES)
        .fetch_one(&mut *transaction)
        .await?;
    let excess = rows::count(held).saturating_sub(bounds.answer_bytes);
    let oldest: Vec<i64> = sqlx::query_scalar(OLDEST_ANSWERS)
        .bind(rows::limit(excess))
        .fetch_all(&mut *transaction)
        .await?;
    let oldest_json = json(&oldest);
    for purge in [PURGE_UNMADE, PURGE_ANSWERS] {
        sqlx::query(purge)
            .bind(&oldest_json)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(keys.rows_affected() + oldest.len() as u64)
}
