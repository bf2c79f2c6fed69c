//! The version of the file's schema, and its migration.

use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

/// The migrations from an empty file to this version, one per version. A released migration is
/// never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_batches.sql"),
    include_str!("../migrations/0003_jobs.sql"),
    include_str!("../migrations/0004_drivers.sql"),
    include_str!("../migrations/0005_bounds.sql"),
    include_str!("../migrations/0006_ends.sql"),
    include_str!("../migrations/0007_pools.sql"),
    include_str!("../migrations/0008_keys.sql"),
    include_str!("../migrations/0009_search.sql"),
    include_str!("../migrations/0010_webhooks.sql"),
];
/// Marks the file as a file of Livius: "Livi".
const APPLICATION_ID: i64 = 0x4c69_7669;

/// The reasons why a file does not fit this server.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A newer server wrote the file.
    #[error(
        "its schema has version {found} and this server knows none above {known}: start the newer server again, or restore a backup"
    )]
    Newer {
        /// The file's version.
        found: i64,
        /// The newest known one.
        known: i64,
    },
    /// Another program wrote the file.
    #[error("it is not a database of Livius")]
    Foreign,
    /// The version cannot be read.
    #[error("read its schema version")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A migration failed. The file is as it was before that migration.
    #[error("bring its schema to version {version}")]
    Migrate {
        /// The version that the migration leads to.
        version: i64,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Migrates a file to this version. Each migration is done whole or not at all.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), SchemaError> {
    let found = version(connection).await?;
    let known = i64::try_from(MIGRATIONS.len()).expect("a handful of steps");
    if found > known {
        return Err(SchemaError::Newer { found, known });
    }
    for (version, step) in (1..)
        .zip(MIGRATIONS)
        .filter(|(version, _)| *version > found)
    {
        apply(connection, version, step)
            .await
            .map_err(|source| SchemaError::Migrate {
                version,
                source: source.into(),
            })?;
    }
    Ok(())
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, SchemaError> {
    let read = "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) \
                FROM pragma_application_id, pragma_user_version";
    let (application, version, objects): (i64, i64, i64) = sqlx::query_as(read)
        .fetch_one(connection)
        .await
        .map_err(|source| SchemaError::Read(source.into()))?;
    let empty = application == 0 && version == 0 && objects == 0;
    if application == APPLICATION_ID || empty {
        Ok(version)
    } else {
        Err(SchemaError::Foreign)
    }
}

async fn apply(
    connection: &mut SqliteConnection,
    version: i64,
    step: &'static str,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    transaction.execute(sqlx::raw_sql(step)).await?;
    let mark =
        format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};");
    transaction
        .execute(sqlx::raw_sql(AssertSqlSafe(mark)))
        .await?;
    transaction.commit().await
}
