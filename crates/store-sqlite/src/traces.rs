//! Erases the secrets of sessions and batches that have ended from the files.
//!
//! The database overwrites deleted content (`secure_delete`), also the former text of a row that has
//! changed. Its write-ahead log keeps the former pages until it is written over.

use std::sync::atomic::{AtomicBool, Ordering};

use livius_store::StoreError;

use super::SqliteStore;

/// Whether the write-ahead log may have secrets of sessions and batches that have ended.
#[derive(Debug, Default)]
pub(super) struct Traces(AtomicBool);

impl Traces {
    /// A session or batch has ended.
    pub(super) fn remain(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl SqliteStore {
    /// Gives free space back, and empties the log if it may have secrets. Callers purge again and
    /// again, so this runs some time after each end.
    pub(super) async fn tidy(&self) -> Result<(), StoreError> {
        self.shrink().await?;
        if self.traces.take() {
            let moved = self.move_log().await;
            if !matches!(moved, Ok(true)) {
                self.traces.remain();
            }
            moved?;
        }
        Ok(())
    }
}
