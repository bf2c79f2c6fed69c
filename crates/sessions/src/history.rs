//! The task that forgets: ended sessions and results in excess. Deletions may take long, so the task
//! that watches time is another one.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::chain;
use livius_failpoint::{Point, reach};

use crate::entry::Core;
use crate::keys;
use crate::results::{self, Budget};

const INTERVAL: Duration = Duration::from_mins(1);

/// Forgets until the server stops.
pub async fn run(core: Arc<Core>) {
    let mut timer = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            biased;
            () = core.lifecycle.stopping() => return,
            _ = timer.tick() => {
                purge(&core).await;
                results::keep_within(&core, Budget::Total).await;
                keys::purge(&*core.store, &core.config.limits, core.clock.now()).await;
            }
        }
    }
}

/// Forgets ended sessions in excess, with their files. Each call of the store takes a part, so that
/// others get their turn to write in between.
async fn purge(core: &Core) {
    let limits = &core.config.limits;
    let now = core.clock.now();
    let before = now
        .checked_sub(limits.ended_retention)
        .unwrap_or(Timestamp::MIN);
    loop {
        let purged = core
            .store
            .purge_sessions(before, limits.ended_sessions as u64)
            .await;
        match purged {
            Ok(records) if records.is_empty() => return,
            Ok(records) => {
                reach(Point::PurgeRowsDeleted);
                for id in records.into_iter().filter_map(|record| record.driver) {
                    core.drivers.forget(&id).await;
                }
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "cannot forget old sessions");
                return;
            }
        }
    }
}
