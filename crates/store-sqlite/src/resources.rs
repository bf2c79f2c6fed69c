//! Files added to sessions.

use async_trait::async_trait;
use livius_domain::{Made, ResourceId, ResourceRecord, ResourceState, SessionId};
use sqlx::SqliteConnection;

use super::keyed::with_key;
use super::rows::{self, json};
use super::{SqliteStore, changed, failed};
use livius_store::{NewResource, ResourceStore, StoreError};

pub(super) const INSERT: &str = "INSERT INTO resources (session, id, used_as, name, state, source) \
                                 SELECT id, coalesce((SELECT max(id) + 1 FROM resources WHERE session = ?1), 1), \
                                        ?2, ?3, ?4, ?5 \
                                 FROM sessions WHERE id = ?1 \
                                 RETURNING id";
pub(super) const NEXT: &str = "SELECT coalesce(max(id) + 1, 1) FROM resources WHERE session = ?1";
pub(super) const UPDATE: &str = "UPDATE resources SET version = version + 1, state = ?3, pending = ?4 \
     WHERE session = ?1 AND id = ?2 AND version = ?5";
const EXISTS: &str = "SELECT 1 FROM resources WHERE session = ?1 AND id = ?2";
pub(super) const PENDING: &str =
    "SELECT * FROM resources WHERE session = ?1 AND pending = 1 ORDER BY id";

#[async_trait]
impl ResourceStore for SqliteStore {
    async fn create_resource(
        &self,
        session: SessionId,
        mut new: NewResource,
    ) -> Result<ResourceRecord, StoreError> {
        let made = |record: &ResourceRecord| Made::File(session, record.id);
        let key = new.key.take();
        let create = async |c: &mut SqliteConnection| create(c, session, new).await;
        self.write(async |c| with_key(c, key.as_ref(), create, made).await)
            .await
    }

    async fn next_resource(&self, session: SessionId) -> Result<ResourceId, StoreError> {
        self.read(async |c| next(c, session).await).await
    }

    async fn update_resource(&self, record: &mut ResourceRecord) -> Result<(), StoreError> {
        self.write(async |c| update(c, record).await).await
    }

    async fn pending_resources(
        &self,
        session: SessionId,
    ) -> Result<Vec<ResourceRecord>, StoreError> {
        self.read(async |c| pending(c, session).await).await
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
    // Fetches all rows, as for a statement.
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
        version: 0,
        id: ResourceId(i32::try_from(id).map_err(failed("number a resource"))?),
        used_as: new.used_as,
        name: new.name,
        source: new.source,
        state,
    })
}

async fn next(
    connection: &mut SqliteConnection,
    session: SessionId,
) -> Result<ResourceId, StoreError> {
    let next: i64 = sqlx::query_scalar(NEXT)
        .bind(session.0)
        .fetch_one(connection)
        .await
        .map_err(failed("number a resource"))?;
    let next = i32::try_from(next).map_err(failed("number a resource"))?;
    Ok(ResourceId(next))
}

async fn update(
    connection: &mut SqliteConnection,
    record: &mut ResourceRecord,
) -> Result<(), StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(record.session.0)
        .bind(record.id.0)
        .bind(json(&record.state))
        .bind(record.state == ResourceState::Pending)
        .bind(rows::limit(record.version));
    let done = update
        .execute(&mut *connection)
        .await
        .map_err(failed("update a resource"))?;
    let row = sqlx::query(EXISTS).bind(record.session.0).bind(record.id.0);
    let what = || format!("resource {} of session {}", record.id, record.session);
    changed(connection, done.rows_affected(), row, what).await?;
    record.version += 1;
    Ok(())
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
