//! The one connection that writes.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use super::failed;
use livius_store::StoreError;

/// The connection, with the options to open another one.
pub(super) struct Writer {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    suspect: bool,
}

/// The right to write once.
pub(super) struct Turn<'a> {
    writer: MutexGuard<'a, Writer>,
}

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
    ) -> Arc<Mutex<Self>> {
        let suspect = false;
        Arc::new(Mutex::new(Self {
            connection,
            options,
            suspect,
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
            // Closing undoes what was not committed.
            let _ = old.close().await;
        }
        writer.suspect = true;
        Ok(Turn { writer })
    }
}

impl Turn<'_> {
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
