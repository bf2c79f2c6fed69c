//! The recovery of stored drivers: finds out how they changed while no server ran.

use std::sync::Arc;

use livius_domain::{Departure, DriverEvent, DriverRecord, DriverState, Exit, StopCause};
use livius_launch::Found;

use super::actor::{DriverActor, Origin, Purpose, spawn};
use super::{DriverCore, DriverHandle};

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
        let found = self
            .core
            .launcher
            .find(&self.record.id, self.record.location.as_ref())
            .await;
        match found {
            Found::Alive(process) => {
                self.take_process(process);
                self.apply(DriverEvent::FoundAlive).await;
            }
            // Its files are gone, but the driver was seen alive: that it never began would be a
            // lie.
            Found::NeverStarted if self.was_seen() => {
                self.apply(DriverEvent::Exited(Departure::of(Exit::Unknown)))
                    .await;
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
