//! The store in one SQLite file.
//!
//! One connection writes and a few read; in WAL mode neither waits for the other. A commit is in
//! the system's page cache before the call returns, so it survives the end of the process. The few
//! commits that others rely on reach the disk before the call returns: new sessions, batches and
//! drivers, with their numbers, and ends. The others reach it with the next of these, or at the next
//! checkpoint.

mod batches;
mod counters;
mod drivers;
mod held;
mod jobs;
mod keyed;
mod keys;
mod listed;
mod listing;
mod lock;
mod measured;
#[cfg(test)]
mod measurements;
mod open;
mod open_error;
mod parts;
mod pieces;
mod readers;
mod resources;
mod rows;
mod schema;
mod search;
mod sessions;
mod shrink;
mod statements;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;
mod traces;
mod trim;
mod webhooks;
mod writer;

use std::sync::Arc;

use livius_failpoint::{Point, reach};
use livius_store::StoreError;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};
use tokio::sync::Mutex;

use livius_metrics::Metrics;
use lock::FileLock;
use measured::Measured;
pub use open_error::OpenError;
use readers::Readers;
pub use schema::SchemaError;
use traces::Traces;
pub use writer::SyncMode;
use writer::Writer;

/// Keeps everything in one database file. Clones share it.
#[derive(Clone)]
pub struct SqliteStore {
    // The fields are dropped in this order: the lock last.
    writer: Arc<Mutex<Writer>>,
    readers: Arc<Readers>,
    traces: Arc<Traces>,
    measured: Measured,
    _lock: Arc<FileLock>,
}

impl SqliteStore {
    /// The same store. Its calls count in these metrics.
    #[must_use]
    pub fn measured_by(mut self, metrics: &Metrics) -> Self {
        self.measured = Measured::by(metrics);
        self
    }

    /// Runs one write that a loss of power must not undo.
    async fn write_durably<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.write_as(true, work).await
    }

    /// Runs one write, durably or not.
    async fn write_as<T>(
        &self,
        durably: bool,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let operation = if durably {
            &self.measured.durable_write
        } else {
            &self.measured.write
        };
        let call = async {
            let mut turn = Writer::turn(&self.writer).await?;
            turn.sync_commits(durably).await?;
            reach(Point::StoreWriting);
            let written = work(turn.connection()).await;
            reach(Point::StoreWritten);
            turn.end(written)
        };
        operation.run(call).await
    }

    /// Runs one write. Waits until no other write runs.
    async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.write_as(false, work).await
    }

    /// Runs one read. Several reads may run at the same time.
    async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let call = async { work(&mut *self.readers.take().await).await };
        self.measured.read.run(call).await
    }
}

/// Wraps an error of the database with the operation that failed.
fn failed<E>(operation: &'static str) -> impl FnOnce(E) -> StoreError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |source| StoreError::Database {
        operation,
        source: source.into(),
    }
}

/// Checks that an update changed a row. If not, the row is missing or has another version, and the
/// caller must know.
async fn changed(
    connection: &mut SqliteConnection,
    rows: u64,
    row: Query<'_, Sqlite, SqliteArguments>,
    what: impl Fn() -> String,
) -> Result<(), StoreError> {
    if rows > 0 {
        return Ok(());
    }
    let there = row
        .fetch_optional(connection)
        .await
        .map_err(failed("look for a row"))?;
    match there {
        Some(_) => Err(StoreError::Conflict { what: what() }),
        None => Err(failed("update a row")("no such row")),
    }
}
