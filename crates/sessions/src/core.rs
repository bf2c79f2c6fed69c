//! The parts that all actors of sessions share, or all actors of batches. Actors hold this, and not
//! the service with the operations of clients.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::{Clock, DriverProgram};
use livius_launch::Launcher;
use livius_store::Store;
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};

use crate::admission::Admission;
use crate::byte_room::ByteRoom;
use crate::changes::Changes;
use crate::config::Config;
use crate::driver::{DriverCore, DriverRegistry};
use crate::ended_logs::EndedLogs;
use crate::error::SessionError;
use crate::lifecycle::Lifecycle;
use crate::registry::{Live, Registry};

/// The time that a creation waits for the end of what was deleted. A driver that does not end when
/// it is asked takes longer.
const PLACE_WAIT: Duration = Duration::from_secs(4);

/// The parts that a service, its actors and its periodic tasks share.
pub struct Core<E: Live> {
    pub config: Arc<Config>,
    pub store: Arc<dyn Store>,
    pub launcher: Arc<dyn Launcher>,
    pub clock: Arc<dyn Clock>,
    pub registry: Registry<E>,
    /// The newest changes of states.
    pub changes: Arc<Changes<E::Change>>,
    /// Held for reading while an entry is in the store and not yet in the registry.
    pub registering: RwLock<()>,
    /// One permit for each session that may live, or for each batch that may wait for its start.
    pub places: Arc<Semaphore>,
    pub drivers: Arc<DriverCore>,
    pub lifecycle: Lifecycle,
    pub ended_logs: EndedLogs<E::Id>,
    /// The texts in memory: the code of unfinished statements, or the requests of unended batches.
    pub texts: ByteRoom,
}

impl<E: Live> Core<E> {
    /// Makes the shared parts, with an empty registry and all permits free. The drivers' program
    /// decides which limits apply.
    pub fn new(
        program: DriverProgram,
        config: Config,
        store: Arc<dyn Store>,
        launcher: Arc<dyn Launcher>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let config = Arc::new(config);
        let changes = Arc::new(Changes::since(clock.now()));
        let lifecycle = Lifecycle::default();
        let (places, admission) = limited(program, &config);
        let drivers = Arc::new(DriverCore {
            program,
            config: Arc::clone(&config),
            store: Arc::clone(&store) as _,
            launcher: Arc::clone(&launcher),
            clock: Arc::clone(&clock),
            lifecycle: lifecycle.clone(),
            registry: DriverRegistry::default(),
            admission: Arc::new(admission),
        });
        Self {
            config,
            store,
            launcher,
            clock,
            registry: Registry::default(),
            changes,
            registering: RwLock::default(),
            places: Arc::new(Semaphore::new(places)),
            drivers,
            lifecycle,
            ended_logs: EndedLogs::default(),
            texts: ByteRoom::default(),
        }
    }

    /// A place among the live sessions. Those that were deleted keep theirs until they have ended,
    /// so while there are some, the caller waits a while for one.
    pub async fn place(&self, full: SessionError) -> Result<OwnedSemaphorePermit, SessionError> {
        let places = || Arc::clone(&self.places);
        let place = tokio::select! {
            biased;
            place = places().acquire_owned() => place.ok(),
            () = self.registry.none_hidden() => places().try_acquire_owned().ok(),
            () = self.lifecycle.draining() => return Err(SessionError::ShuttingDown),
            () = tokio::time::sleep(PLACE_WAIT) => None,
        };
        place.ok_or(full)
    }
}

/// The number of entries that may hold a place, and the queue of their drivers.
fn limited(program: DriverProgram, config: &Config) -> (usize, Admission) {
    let limits = &config.limits;
    match program {
        // The limit of living sessions applies when they are created.
        DriverProgram::Agent => (
            limits.live_sessions,
            Admission::new(limits.concurrent_starts, None),
        ),
        DriverProgram::Application => (
            limits.waiting_batches,
            Admission::new(limits.concurrent_batch_starts, Some(limits.running_batches)),
        ),
    }
}
