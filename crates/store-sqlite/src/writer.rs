//! The one connection that writes.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use super::failed;
use livius_store::StoreError;

/// The connection, with the options to open another one.
pub(super) struct Writer {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    suspect: bool,
    /// Whether a commit returns after it is on the disk.
    syncs: bool,
    mode: SyncMode,
}

/// Which commits are on the disk when they return. Every commit survives a crash of the server; this is
/// about a crash of the machine and a power failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// Those that others rely on, such as new numbers and ends.
    #[default]
    Normal,
    /// All. Each write of a statement then costs an `fsync`.
    Full,
}

/// The right to write once.
pub(super) struct Turn<'a> {
    writer: MutexGuard<'a, Writer>,
}

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        mode: SyncMode,
    ) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            connection,
            options,
            suspect: false,
            syncs: false,
            mode,
        }))
    }

    /// Waits for the right to write. After a write that failed, or whose caller went away, this
    /// opens a new connection. On a full disk the database ends a transaction by itself, and the
    /// library does not notice. All later writes would then belong to a transaction that never
    /// ends: acknowledged and lost.
    pub(super) async fn turn(writer: &Mutex<Self>) -> Result<Turn<'_>, StoreError> {
        let mut writer = writer.lock().await;
        if writer.suspect {
            let fresh = writer
                .options
                .connect()
                .await
                .map_err(failed("open the database again"))?;
            let old = std::mem::replace(&mut writer.connection, fresh);
            writer.syncs = false;
            // Closing undoes what was not committed.
            let _ = old.close().await;
        }
        writer.suspect = true;
        Ok(Turn { writer })
    }
}

#[cfg(test)]
impl Writer {
    /// The connection, for a look at its settings.
    pub(super) fn any_connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Turn<'_> {
    /// Chooses whether the commits of this turn are on the disk when they return. The setting stays
    /// with the connection, so the stream of ordinary writes pays nothing for it.
    pub(super) async fn sync_commits(&mut self, durably: bool) -> Result<(), StoreError> {
        let durably = durably || self.writer.mode == SyncMode::Full;
        if self.writer.syncs == durably {
            return Ok(());
        }
        let pragma = if durably {
            "PRAGMA synchronous = FULL"
        } else {
            "PRAGMA synchronous = NORMAL"
        };
        self.writer
            .connection
            .execute(pragma)
            .await
            .map_err(failed("choose when commits reach the disk"))?;
        self.writer.syncs = durably;
        Ok(())
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.writer.connection
    }

    /// Ends the turn. The connection is used again only if the write succeeded or was refused by a
    /// rule.
    pub(super) fn end<T>(mut self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        self.writer.suspect = !matches!(
            written,
            Ok(_) | Err(StoreError::DuplicateName { .. } | StoreError::Conflict { .. })
        );
        written
    }
}
