//! Ends a driver whose actor has panicked: its process is ended, and its end says why.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::{Departure, DriverEnd, DriverRecord, DriverState, Failure, Phase, chain};
use livius_launch::Found;

use super::actor::{DriverActor, Purpose};
use super::{DriverCore, DriverHandle, DriverView};
use crate::feed::Publisher;
use crate::rescue;

/// All that is needed to end a driver without its actor.
pub(super) struct Rescue {
    pub(super) core: Arc<DriverCore>,
    pub(super) handle: Arc<DriverHandle>,
    pub(super) feed: Publisher<DriverView>,
    pub(super) grace: Duration,
}

impl Rescue {
    pub(super) async fn run(self) {
        tracing::error!(driver.id = %self.handle.id, "the driver's actor has panicked; ending the driver");
        let id = &self.handle.id;
        let record = rescue::record(
            &self.core.lifecycle,
            || self.core.store.driver(id),
            |error| tracing::error!(driver.id = %id, error = %chain(error), "cannot read a driver; trying again"),
        );
        let Some(record) = record.await else {
            return;
        };
        let mut actor = self.new_actor(record);
        let Some(found) = actor.search().await else {
            return;
        };
        let departure = self.end(found).await;
        actor.record.state = DriverState::Gone(DriverEnd {
            phase: Phase::Running,
            cause: None,
            failure: Some(Failure::server_fault()),
            forced: true,
            departure,
        });
        actor.record.times.ended_at = Some(self.core.clock.now());
        actor.unstored = true;
        actor.leave().await;
    }

    async fn end(&self, found: Found) -> Option<Departure> {
        match found {
            Found::Alive(process) => Some(process.terminate(self.grace).await),
            Found::Ended(departure) => Some(departure),
            Found::NeverStarted | Found::Unclear(_) => None,
        }
    }

    fn new_actor(&self, record: DriverRecord) -> DriverActor {
        let (core, handle) = (Arc::clone(&self.core), Arc::clone(&self.handle));
        DriverActor::new(core, handle, record, Purpose::Nothing, self.feed.clone())
    }
}
