//! Sessions.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::{DriverId, Made, Notice, SessionId, SessionRecord, SessionState};
use livius_store::{
    Found, NewSession, Part, Search, SessionStore, SessionSummary, StoreError, Unended, Visible,
    Window,
};
use sqlx::{Connection, SqliteConnection};

use super::listed::{Listed, listed};
use super::parts::part;
use super::rows::{self, json, optional_json};
use super::search::Searched;
use super::webhooks::with_notice;
use super::{SqliteStore, changed, counters, failed, keyed, webhooks};

/// Deletes some rows of the sessions that a JSON array names.
macro_rules! of_ended {
    ($table:literal, $bytes:literal) => {
        part!($table, bytes: $bytes, rows: "session IN (SELECT value FROM json_each(?1))")
    };
}

const INSERT: &str = "INSERT INTO sessions (id, created_at, last_activity, name, owner, proxy_user, state, request, state_name, kind) \
                      VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                      ON CONFLICT (name) WHERE listed = 1 AND ended_at IS NULL AND name IS NOT NULL DO NOTHING";
const UPDATE: &str = "UPDATE sessions SET version = version + 1, proxy_user = ?3, state = ?4, app = ?5, driver = ?6, \
                          last_activity = ?7, ended_at = ?8, request = coalesce(?9, request), last_lines = ?10, pool = ?11, state_name = ?12 \
                      WHERE id = ?1 AND version = ?2";
pub(super) const SESSIONS: Listed<SessionRecord> = listed!("sessions", rows::session);
pub(super) const SEARCHED: Searched = Searched {
    table: "sessions",
    kind: "kind = ?4",
    made: "session",
};
/// The foreign keys delete everything that belongs to a session (ON DELETE CASCADE). Rows of these
/// tables may be many and long, so they are deleted first, a few at a time: other writes go on in
/// between.
pub(super) const PARTS: [&str; 6] = [
    of_ended!("statement_chunks", "octet_length(text)"),
    of_ended!("job_chunks", "octet_length(text)"),
    of_ended!("statement_codes", "octet_length(code)"),
    of_ended!("job_payloads", "octet_length(payload)"),
    of_ended!(
        "statements",
        "octet_length(code) + coalesce(octet_length(output), 0)"
    ),
    of_ended!(
        "jobs",
        "coalesce(octet_length(payload), 0) + coalesce(octet_length(result), 0)"
    ),
];

#[async_trait]
impl SessionStore for SqliteStore {
    async fn create_session(&self, new: NewSession) -> Result<SessionRecord, StoreError> {
        self.write_durably(async |c| create(c, new).await).await
    }

    async fn update_session(&self, record: &mut SessionRecord) -> Result<(), StoreError> {
        // Clients act on the end of a session, so it must not be undone.
        let ended = record.ended_at.is_some();
        self.write_as(ended, async |c| update(c, record).await)
            .await?;
        if ended {
            self.traces.remain();
        }
        Ok(())
    }

    async fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.read(async |c| SESSIONS.by_id(c, id.0).await).await
    }

    async fn session_named(&self, name: &str) -> Result<Option<SessionRecord>, StoreError> {
        self.read(async |c| SESSIONS.by_name(c, name).await).await
    }

    async fn session_summaries(
        &self,
        ids: &[SessionId],
    ) -> Result<Vec<SessionSummary>, StoreError> {
        let ids: Vec<i32> = ids.iter().map(|id| id.0).collect();
        self.read(async |c| SESSIONS.summaries(c, &ids, rows::session_summary).await)
            .await
    }

    async fn list_sessions(
        &self,
        visible: Visible<'_>,
        window: Window,
    ) -> Result<Part<SessionRecord>, StoreError> {
        self.read(async |c| SESSIONS.list(c, visible, window).await)
            .await
    }

    async fn search_sessions(
        &self,
        visible: Visible<'_>,
        search: Search<'_>,
    ) -> Result<Found<SessionRecord>, StoreError> {
        self.read(async |c| {
            let found = SEARCHED.find(c, visible, &search, rows::session).await;
            found.map_err(failed("search sessions"))
        })
        .await
    }

    async fn unended_sessions(&self) -> Result<Vec<Unended<SessionRecord>>, StoreError> {
        self.read(async |c| SESSIONS.unended(c).await).await
    }

    async fn unlist_session(&self, id: SessionId) -> Result<bool, StoreError> {
        self.write(async |c| SESSIONS.unlist(c, id.0).await).await
    }

    async fn purge_sessions(
        &self,
        ended_before: Timestamp,
        keep: u64,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let doomed = self
            .write(async |c| SESSIONS.doom(c, ended_before, keep).await)
            .await?;
        if doomed.is_empty() {
            self.tidy().await?;
            return Ok(Vec::new());
        }
        let doomed = json(&doomed);
        for part in PARTS {
            self.delete_in_parts(part, |query| query.bind(doomed.clone()))
                .await?;
        }
        self.write(async |c| SESSIONS.delete(c, &doomed).await)
            .await
    }
}

async fn create(
    connection: &mut SqliteConnection,
    mut new: NewSession,
) -> Result<SessionRecord, StoreError> {
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to create a session"))?;
    let number = counters::take(&mut transaction, "session", "number a session").await?;
    let (key, webhook) = (new.key.take(), new.webhook.take());
    let record = first_record(SessionId(number), new)?;
    let inserted = insert(&mut transaction, &record).await?;
    if inserted && let Some(key) = key {
        keyed::insert(&mut transaction, &key, Made::Session(record.id)).await?;
    }
    if inserted && let Some(webhook) = webhook {
        webhooks::ask(&mut transaction, Made::Session(record.id), &webhook).await?;
    }
    // A refusal is committed, too: its number is used up.
    transaction
        .commit()
        .await
        .map_err(failed("create a session"))?;
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
    record: &mut SessionRecord,
) -> Result<(), StoreError> {
    let notice = Notice::of_session(record);
    with_notice(connection, notice, async |c| update_row(c, record).await).await?;
    record.version += 1;
    Ok(())
}

async fn update_row(
    connection: &mut SqliteConnection,
    record: &SessionRecord,
) -> Result<(), StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(record.id.0)
        .bind(rows::limit(record.version))
        .bind(&record.proxy_user)
        .bind(json(&record.state))
        .bind(optional_json(record.app.as_ref()))
        .bind(record.driver.as_ref().map(DriverId::as_str))
        .bind(record.last_activity.as_microsecond())
        .bind(record.ended_at.map(Timestamp::as_microsecond))
        .bind(record.ended_at.map(|_| json(&*record.request)))
        .bind(optional_json(record.last_lines.as_ref()))
        .bind(optional_json(record.pool.as_deref()))
        .bind(record.state.name());
    let done = update
        .execute(&mut *connection)
        .await
        .map_err(failed("update a session"))?;
    let row = sqlx::query(SESSIONS.exists).bind(record.id.0);
    let what = || format!("session {}", record.id);
    changed(connection, done.rows_affected(), row, what).await
}

/// The answer must equal the record that is read later, so the time is cut to the store's precision
/// here.
fn first_record(id: SessionId, new: NewSession) -> Result<SessionRecord, StoreError> {
    let stored = Timestamp::from_microsecond(new.created_at.as_microsecond());
    let created_at = stored.map_err(failed("take the time of a session"))?;
    Ok(SessionRecord {
        id,
        version: 0,
        request: Arc::new(new.request),
        owner: new.owner,
        proxy_user: new.proxy_user,
        state: SessionState::NEW,
        app: None,
        driver: None,
        pool: None,
        created_at,
        last_activity: created_at,
        ended_at: None,
        last_lines: None,
    })
}

/// Inserts the row. Answers false when the name is taken.
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
        .bind(json(&*record.request))
        .bind(record.state.name())
        .bind(record.request.kind.as_str());
    let done = insert
        .execute(connection)
        .await
        .map_err(failed("create a session"))?;
    Ok(done.rows_affected() > 0)
}
