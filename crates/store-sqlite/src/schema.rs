//! Which version the file has, and making it this one.

use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

/// The steps from an empty file to this version, one per version. A released one is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_batches.sql"),
    include_str!("../migrations/0003_jobs.sql"),
    include_str!("../migrations/0004_drivers.sql"),
];
/// Marks the file as Livius's: "Livi".
const APPLICATION_ID: i64 = 0x4c69_7669;

/// Why a file does not fit this server.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A newer server wrote it.
    #[error(
        "its schema has version {found} and this server knows none above {known}: start the newer server again, or restore a backup"
    )]
    Newer {
        /// The file's version.
        found: i64,
        /// The newest known one.
        known: i64,
    },
    /// Something else wrote it.
    #[error("it is not a database of Livius")]
    Foreign,
    /// Its version cannot be read.
    #[error("read its schema version")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A step failed; the file is as it was before that step.
    #[error("bring its schema to version {version}")]
    Migrate {
        /// The version it was to have.
        version: i64,
        /// Why it has not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Brings a file to this version, each step whole or not at all.
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
