//! The recovery of stored drivers: finds out how they changed while no server ran.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::{Departure, DriverEvent, DriverRecord, DriverState, StopCause, Unseen};
use livius_failpoint::{Point, reach};
use livius_launch::Found;

use super::actor::{DriverActor, Origin, Purpose};
use super::spawning::spawn;
use super::{DriverCore, DriverHandle};

/// The pause before another look at a driver that could not be looked at.
const SEARCH_PAUSE: Duration = Duration::from_secs(1);

/// Ends a driver that no session and no batch needs any more: the server that made it crashed
/// before it could end it.
pub(crate) async fn end_unclaimed(
    core: &Arc<DriverCore>,
    record: DriverRecord,
) -> Arc<DriverHandle> {
    let driver = spawn(core, record, Purpose::Nothing, Origin::Recovered);
    driver.stop(StopCause::User).await;
    driver
}

impl DriverActor {
    /// Looks for the process of a driver from the store.
    pub(super) async fn recover(&mut self) {
        let now = self.core.clock.now();
        self.handle.link_lost.set(now);
        if self.record.state == DriverState::Queued || self.record.state.is_gone() {
            return;
        }
        self.handle.start_began.set(now);
        match self.search().await {
            // The server stops, and the next one looks again.
            None => {}
            Some(found) => {
                reach(Point::RecoveryFound);
                self.take_found(found).await;
            }
        }
    }

    /// Looks until the answer is clear: a driver that cannot be looked at is not gone. `None` when
    /// the server stops. Exclusive, because the actor may have a future that threads cannot share.
    pub(super) async fn search(&mut self) -> Option<Found> {
        let core = &self.core;
        loop {
            let location = self.record.location.as_ref();
            match core.launcher.find(&self.record.id, location).await {
                Found::Unclear(why) => {
                    tracing::warn!(driver.id = %self.record.id, why, "cannot look for a driver; trying again");
                }
                found => return Some(found),
            }
            tokio::select! {
                () = core.lifecycle.stopping() => return None,
                () = tokio::time::sleep(SEARCH_PAUSE) => {}
            }
        }
    }

    async fn take_found(&mut self, found: Found) {
        match found {
            Found::Unclear(_) => {}
            Found::Alive(process) => {
                self.take_process(process);
                self.apply(DriverEvent::FoundAlive).await;
            }
            // Its files are gone, but the driver was seen alive: that it never began would be a
            // lie.
            Found::NeverStarted if self.was_seen() => {
                let departure = Departure::unseen(Unseen::FilesMissing);
                self.apply(DriverEvent::Exited(departure)).await;
            }
            Found::NeverStarted => self.apply(DriverEvent::FoundUnstarted).await,
            Found::Ended(departure) => self.apply(DriverEvent::Exited(departure)).await,
        }
    }

    fn was_seen(&self) -> bool {
        self.record.location.is_some()
            || !matches!(
                self.record.state,
                DriverState::Launching | DriverState::Stopping(_)
            )
    }
}
