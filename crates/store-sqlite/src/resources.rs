//! Files added to sessions.

use async_trait::async_trait;
use livius_domain::{ResourceId, ResourceRecord, ResourceState, SessionId};
use sqlx::SqliteConnection;

use super::rows::{self, json};
use super::writer::Writer;
use super::{SqliteStore, failed, one_row};
use livius_store::{NewResource, ResourceStore, StoreError};

pub(super) const INSERT: &str = "INSERT INTO resources (session, id, used_as, name, state, source) \
                                 SELECT id, coalesce((SELECT max(id) + 1 FROM resources WHERE session = ?1), 1), \
                                        ?2, ?3, ?4, ?5 \
                                 FROM sessions WHERE id = ?1 \
                                 RETURNING id";
pub(super) const UPDATE: &str =
    "UPDATE resources SET state = ?3, pending = ?4 WHERE session = ?1 AND id = ?2";
pub(super) const PENDING: &str =
    "SELECT * FROM resources WHERE session = ?1 AND pending = 1 ORDER BY id";

#[async_trait]
impl ResourceStore for SqliteStore {
    async fn create_resource(
        &self,
        session: SessionId,
        new: NewResource,
    ) -> Result<ResourceRecord, StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = create(turn.connection(), session, new).await;
        turn.end(written)
    }

    async fn update_resource(&self, record: &ResourceRecord) -> Result<(), StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let written = update(turn.connection(), record).await;
        turn.end(written)
    }

    async fn pending_resources(
        &self,
        session: SessionId,
    ) -> Result<Vec<ResourceRecord>, StoreError> {
        pending(&mut *self.readers.take().await, session).await
    }
}

async fn create(
    connection: &mut SqliteConnection,
    session: SessionId,
    new: NewResource,
) -> Result<ResourceRecord, StoreError> {
    let state = ResourceState::Pending;
    let insert = sqlx::query_scalar(INSERT)
        .bind(session.0)
        .bind(rows::use_name(new.used_as))
        .bind(&new.name)
        .bind(json(&state))
        .bind(json(&new.source));
    // All rows are fetched, as for a statement.
    let ids: Vec<i64> = insert
        .fetch_all(connection)
        .await
        .map_err(failed("create a resource"))?;
    let id = *ids
        .first()
        .ok_or("no such session")
        .map_err(failed("create a resource"))?;
    Ok(ResourceRecord {
        session,
        id: ResourceId(i32::try_from(id).map_err(failed("number a resource"))?),
        used_as: new.used_as,
        name: new.name,
        source: new.source,
        state,
    })
}

async fn update(
    connection: &mut SqliteConnection,
    record: &ResourceRecord,
) -> Result<(), StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(record.session.0)
        .bind(record.id.0)
        .bind(json(&record.state))
        .bind(record.state == ResourceState::Pending);
    let done = update
        .execute(connection)
        .await
        .map_err(failed("update a resource"))?;
    one_row("update a resource", done.rows_affected())
}

async fn pending(
    connection: &mut SqliteConnection,
    session: SessionId,
) -> Result<Vec<ResourceRecord>, StoreError> {
    let read = sqlx::query(PENDING).bind(session.0);
    let rows = read
        .fetch_all(connection)
        .await
        .map_err(failed("list pending resources"))?;
    Ok(rows::readable(&rows, |row| rows::resource(session, row)))
}
