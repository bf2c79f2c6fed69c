//! Opening the file.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::lock::FileLock;
use super::readers::Readers;
use super::schema::{self, SchemaError};
use super::writer::Writer;
use super::{SqliteStore, failed};
use livius_store::StoreError;

/// Only other programs, such as a backup, can hold the file: the store itself has one writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// A large output makes the log grow; a checkpoint cuts it back to this.
const LOG_BYTES_KEPT: &str = "16777216";

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("open {path}: another server is using it")]
    InUse {
        /// The database.
        path: Utf8PathBuf,
    },
    /// The lock file cannot be had.
    #[error("lock {path}")]
    Lock {
        /// The lock file.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file cannot be created.
    #[error("create {path}")]
    Create {
        /// The database.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It cannot be opened as a database.
    #[error("open {path}")]
    Connect {
        /// The database.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is in it does not fit this server.
    #[error("open {path}")]
    Schema {
        /// The database.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: SchemaError,
    },
}

impl SqliteStore {
    /// Opens the database file, or creates it, readable by its owner only. Its directory must exist.
    pub async fn open(path: &Utf8Path) -> Result<Self, OpenError> {
        let lock = Arc::new(FileLock::take(path)?);
        create_private(path).map_err(|source| OpenError::Create {
            path: path.to_owned(),
            source,
        })?;
        let connect = |source: sqlx::Error| OpenError::Connect {
            path: path.to_owned(),
            source: source.into(),
        };
        let options = connect_options(path);
        let mut writer = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .connect()
            .await
            .map_err(connect)?;
        schema::migrate(&mut writer)
            .await
            .map_err(|source| OpenError::Schema {
                path: path.to_owned(),
                source,
            })?;
        let readers = Arc::new(Readers::open(options.clone()).await.map_err(connect)?);
        Ok(Self {
            writer: Writer::new(writer, options),
            readers,
            _lock: lock,
        })
    }

    /// Waits for what is under way and moves the log into the file, so that the file alone has all. Without it nothing is lost: the
    /// next opening does it.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let _readers = self.readers.take_all().await;
        let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_all(turn.connection())
            .await
            .map_err(failed("write the log of the database into its file"));
        turn.end(moved).map(|_| ())
    }
}

/// The library would create the file readable by all. The files beside it copy the mode of this one.
fn create_private(path: &Utf8Path) -> io::Result<()> {
    // An existing file is not even opened: closing it again would release the locks that SQLite may have on it in this process.
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn connect_options(path: &Utf8Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("journal_size_limit", LOG_BYTES_KEPT)
}
