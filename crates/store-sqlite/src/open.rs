//! Opens the database file.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor as _};

use livius_metrics::Metrics;

use super::lock::FileLock;
use super::measured::Measured;
use super::readers::Readers;
use super::writer::{SyncMode, Writer};
use super::{OpenError, SqliteStore, failed};
use super::{drivers, schema, shrink};
use livius_store::StoreError;

/// The time that a write waits for other programs, such as a backup. The store itself has one
/// writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// A large output makes the write-ahead log grow. A checkpoint truncates it to this size.
const LOG_BYTES_KEPT: &str = "16777216";

impl SqliteStore {
    /// Opens the database file. Creates it if it is missing, readable by its owner only. The
    /// directory must exist.
    pub async fn open(path: &Utf8Path) -> Result<Self, OpenError> {
        Self::open_with(path, SyncMode::default()).await
    }

    /// The same, with another choice of the commits that are on the disk when they return.
    pub async fn open_with(path: &Utf8Path, mode: SyncMode) -> Result<Self, OpenError> {
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
        let mut writer = options.connect().await.map_err(connect)?;
        shrink::prepare(&mut writer).await.map_err(connect)?;
        writer
            .execute("PRAGMA journal_mode = WAL")
            .await
            .map_err(connect)?;
        schema::migrate(&mut writer)
            .await
            .map_err(|source| OpenError::Schema {
                path: path.to_owned(),
                source,
            })?;
        if let Err(error) = shrink::convert(&mut writer).await {
            tracing::warn!(%error, "the database cannot be made able to shrink, and works as before");
        }
        let readers = Arc::new(Readers::open(options.clone()).await.map_err(connect)?);
        Ok(Self {
            writer: Writer::new(writer, options, mode),
            readers,
            traces: Arc::default(),
            measured: Measured::by(&Metrics::default()),
            _lock: lock,
        })
    }

    /// Reads the names of all drivers of a database, without a lock: a server may be using it. A
    /// database that is not there has none.
    pub async fn names_of_drivers(path: &Utf8Path) -> Result<Vec<String>, StoreError> {
        if !path.exists() {
            return Ok(Vec::new());
        }
        let options = connect_options(path).read_only(true);
        let connected = options.connect().await;
        let mut connection = connected.map_err(failed("open the database to read it"))?;
        drivers::names(&mut connection).await
    }

    /// Waits for running calls and moves the write-ahead log into the file, so that the file alone
    /// is complete. Without a flush nothing is lost: the next opening moves the log.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.move_log().await.map(|_| ())
    }

    /// The same. Returns false if another program reads the database, so that the log has to stay.
    pub(super) async fn move_log(&self) -> Result<bool, StoreError> {
        let mut turn = Writer::turn(&self.writer).await?;
        let _readers = self.readers.take_all().await;
        let moved = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(turn.connection())
            .await
            .map_err(failed("write the log of the database into its file"));
        let (busy, _, _): (i64, i64, i64) = turn.end(moved)?;
        Ok(busy == 0)
    }
}

/// Creates the file with a private mode: the library would create it readable by all. The log files
/// copy the mode of this file.
fn create_private(path: &Utf8Path) -> io::Result<()> {
    // An existing file is not opened here: closing it would release the locks that SQLite may hold
    // on it in this process.
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
        .pragma("secure_delete", "ON")
}
