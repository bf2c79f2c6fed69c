//! Drivers and their leases.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::DriverId;
use livius_domain::driver::{DriverRecord, DriverUse, Lease};
use livius_store::{Claim, DriverStore, StoreError};
use sqlx::{Row as _, SqliteConnection};

use super::rows::{self, json, optional_json};
use super::{SqliteStore, changed, failed};

const INSERT: &str = "INSERT INTO drivers (id, program, session, batch, state, times, ended_at, location, token_hash, \
                                           instance, app, owner, lease_until, pooled) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const UPDATE: &str = "UPDATE drivers SET version = version + 1, state = ?3, times = ?4, ended_at = ?5, location = ?6, \
                          token_hash = ?7, instance = ?8, app = ?9, session = ?10, pooled = ?11 \
                      WHERE id = ?1 AND version = ?2";
pub(super) const BY_ID: &str = "SELECT * FROM drivers WHERE id = ?1";
// A driver that stays with its server keeps its version, so the server's own updates go on.
pub(super) const CLAIM: &str = "UPDATE drivers SET version = version + (owner IS NOT ?1), owner = ?1, lease_until = ?2 \
                                WHERE ended_at IS NULL AND program = ?4 \
                                      AND (owner IS NULL OR (owner = ?1 AND ?5) OR lease_until < ?3) \
                                RETURNING *";
pub(super) const RENEW: &str =
    "UPDATE drivers SET lease_until = ?2 WHERE owner = ?1 AND ended_at IS NULL";
pub(super) const NAMES: &str = "SELECT id FROM drivers \
                                UNION SELECT driver FROM sessions WHERE driver IS NOT NULL \
                                UNION SELECT driver FROM batches WHERE driver IS NOT NULL";
pub(super) const ABANDONED: &str = "SELECT id FROM drivers WHERE ended_at IS NOT NULL \
                                        AND (session IS NULL OR session NOT IN (SELECT id FROM sessions)) \
                                        AND (batch IS NULL OR batch NOT IN (SELECT id FROM batches)) \
                                        AND id NOT IN (SELECT driver FROM sessions WHERE driver IS NOT NULL) \
                                        AND id NOT IN (SELECT driver FROM batches WHERE driver IS NOT NULL) \
                                    ORDER BY id LIMIT 1000";
const DELETE: &str = "DELETE FROM drivers WHERE id = ?1";

#[async_trait]
impl DriverStore for SqliteStore {
    async fn create_driver(&self, record: &DriverRecord) -> Result<(), StoreError> {
        self.write_durably(async |c| create(c, record).await).await
    }

    async fn update_driver(&self, record: &mut DriverRecord) -> Result<(), StoreError> {
        // A driver on a cluster outlives this machine, and is found by its row.
        self.write_durably(async |c| update(c, record).await).await
    }

    async fn driver(&self, id: &DriverId) -> Result<Option<DriverRecord>, StoreError> {
        self.read(async |c| by_id(c, id).await).await
    }

    async fn claim_drivers(&self, claim: Claim<'_>) -> Result<Vec<DriverRecord>, StoreError> {
        self.write(async |c| claim_for(c, claim).await).await
    }

    async fn renew_leases(&self, lease: &Lease) -> Result<u64, StoreError> {
        self.write(async |c| renew(c, lease).await).await
    }

    async fn driver_names(&self) -> Result<Vec<String>, StoreError> {
        self.read(async |c| names(c).await).await
    }

    async fn abandoned_drivers(&self) -> Result<Vec<DriverId>, StoreError> {
        self.read(async |c| abandoned(c).await).await
    }

    async fn delete_driver(&self, id: &DriverId) -> Result<bool, StoreError> {
        self.write(async |c| delete(c, id).await).await
    }
}

pub(super) async fn names(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    // A name that is no text fails the whole call. The driver that it names may run, and the sweep that asks
    // ends the drivers that no row names.
    let names = sqlx::query_scalar(NAMES).fetch_all(connection);
    names.await.map_err(failed("read the names of drivers"))
}

async fn abandoned(connection: &mut SqliteConnection) -> Result<Vec<DriverId>, StoreError> {
    let gone = sqlx::query(ABANDONED).fetch_all(connection);
    let gone = gone
        .await
        .map_err(failed("read the names of drivers that are gone"))?;
    // A name that cannot be read is that of a damaged row, which stays.
    let names = gone.iter().filter_map(|row| row.try_get("id").ok());
    Ok(names.filter_map(DriverId::parse).collect())
}

async fn create(
    connection: &mut SqliteConnection,
    record: &DriverRecord,
) -> Result<(), StoreError> {
    let (session, batch) = match record.made_for {
        DriverUse::Session(id) => (Some(id.0), None),
        DriverUse::Batch(id) => (None, Some(id.0)),
        DriverUse::Pool => (None, None),
    };
    let insert = sqlx::query(INSERT)
        .bind(record.id.as_str())
        .bind(rows::program_name(record.program))
        .bind(session)
        .bind(batch)
        .bind(json(&record.state))
        .bind(json(&record.times))
        .bind(record.times.ended_at.map(Timestamp::as_microsecond))
        .bind(
            record
                .location
                .as_ref()
                .map(livius_domain::DriverLocation::as_str),
        )
        .bind(&record.token_hash)
        .bind(&record.instance)
        .bind(optional_json(record.app.as_ref()))
        .bind(record.lease.as_ref().map(|lease| &lease.server))
        .bind(
            record
                .lease
                .as_ref()
                .map(|lease| lease.until.as_microsecond()),
        )
        .bind(optional_json(record.pooled.as_deref()));
    insert
        .execute(connection)
        .await
        .map_err(failed("create a driver"))?;
    Ok(())
}

async fn update(
    connection: &mut SqliteConnection,
    record: &mut DriverRecord,
) -> Result<(), StoreError> {
    // A session may take a driver of a pool.
    let session = match record.made_for {
        DriverUse::Session(id) => Some(id.0),
        DriverUse::Batch(_) | DriverUse::Pool => None,
    };
    let update = sqlx::query(UPDATE)
        .bind(record.id.as_str())
        .bind(rows::limit(record.version))
        .bind(json(&record.state))
        .bind(json(&record.times))
        .bind(record.times.ended_at.map(Timestamp::as_microsecond))
        .bind(
            record
                .location
                .as_ref()
                .map(livius_domain::DriverLocation::as_str),
        )
        .bind(&record.token_hash)
        .bind(&record.instance)
        .bind(optional_json(record.app.as_ref()))
        .bind(session)
        .bind(optional_json(record.pooled.as_deref()));
    let done = update
        .execute(&mut *connection)
        .await
        .map_err(failed("update a driver"))?;
    let row = sqlx::query(BY_ID).bind(record.id.as_str());
    let what = || format!("driver {}", record.id);
    changed(connection, done.rows_affected(), row, what).await?;
    record.version += 1;
    Ok(())
}

async fn by_id(
    connection: &mut SqliteConnection,
    id: &DriverId,
) -> Result<Option<DriverRecord>, StoreError> {
    let row = sqlx::query(BY_ID)
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
        .map_err(failed("read a driver"))?;
    row.as_ref().map(rows::driver).transpose()
}

async fn claim_for(
    connection: &mut SqliteConnection,
    claim: Claim<'_>,
) -> Result<Vec<DriverRecord>, StoreError> {
    let update = sqlx::query(CLAIM)
        .bind(&claim.lease.server)
        .bind(claim.lease.until.as_microsecond())
        .bind(claim.now.as_microsecond())
        .bind(rows::program_name(claim.program))
        .bind(claim.own);
    let rows = update.fetch(connection);
    let mut claimed = rows::readable_of(rows, rows::driver)
        .await
        .map_err(failed("claim drivers"))?;
    claimed.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(claimed)
}

async fn renew(connection: &mut SqliteConnection, lease: &Lease) -> Result<u64, StoreError> {
    let done = sqlx::query(RENEW)
        .bind(&lease.server)
        .bind(lease.until.as_microsecond())
        .execute(connection)
        .await
        .map_err(failed("renew leases"))?;
    Ok(done.rows_affected())
}

async fn delete(connection: &mut SqliteConnection, id: &DriverId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.as_str())
        .execute(connection)
        .await
        .map_err(failed("delete a driver"))?;
    Ok(done.rows_affected() > 0)
}
