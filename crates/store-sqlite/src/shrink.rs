//! Gives the space of deleted rows back to the file system.

use livius_store::StoreError;
use sqlx::{Executor as _, SqliteConnection};

use super::{SqliteStore, failed};

/// A file that was made without incremental vacuum is rewritten once if it is not larger than this.
/// A larger one would keep the server from starting for too long.
const REWRITTEN_BYTES: i64 = 512 << 20;
/// Pages that one turn gives back: 4 MiB.
const TURN: &str = "PRAGMA incremental_vacuum(1024)";
/// Turns of one call: 64 MiB.
const TURNS: u32 = 16;
/// Free pages that stay, because they will be used again: 16 MiB, or an eighth of the file.
const SPARE: &str = "SELECT freelist_count - max(4096, page_count / 8) FROM pragma_freelist_count, pragma_page_count";

/// Makes a new file able to shrink. Must run before anything is written to it.
pub(super) async fn prepare(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection
        .execute("PRAGMA auto_vacuum = INCREMENTAL")
        .await?;
    Ok(())
}

/// Makes a file of an earlier version able to shrink.
pub(super) async fn convert(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let (mode, bytes): (i64, i64) = sqlx::query_as(
        "SELECT auto_vacuum, page_count * page_size FROM pragma_auto_vacuum, pragma_page_count, pragma_page_size",
    )
    .fetch_one(&mut *connection)
    .await?;
    if mode != 0 {
        return Ok(());
    }
    if bytes > REWRITTEN_BYTES {
        tracing::info!(
            bytes,
            "the database keeps the space of deleted rows: an earlier version made it. To change that, stop the server and \
             run: sqlite3 livius.db 'PRAGMA auto_vacuum = 2; VACUUM'"
        );
        return Ok(());
    }
    connection
        .execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
        .await?;
    Ok(())
}

impl SqliteStore {
    /// Gives free pages back, a few at a time.
    pub(super) async fn shrink(&self) -> Result<(), StoreError> {
        for _ in 0..TURNS {
            let spare: i64 = self
                .read(async |c| {
                    let spare = sqlx::query_scalar(SPARE).fetch_one(c).await;
                    spare.map_err(failed("count the free pages"))
                })
                .await?;
            if spare <= 0 {
                return Ok(());
            }
            self.write(async |c| {
                // Each step frees one page, so all of them must be fetched.
                let done = sqlx::query(TURN).fetch_all(c).await;
                done.map_err(failed("give free pages back")).map(|_| ())
            })
            .await?;
        }
        Ok(())
    }
}
