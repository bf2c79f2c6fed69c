//! The parts that all actors of sessions share. Actors hold this, and not the service with the
//! operations of clients.

use std::sync::Arc;

use livius_domain::{Clock, DriverProgram, SessionId};
use livius_launch::Launcher;
use livius_store::Store;
use tokio::sync::{RwLock, Semaphore};

use crate::admission::Admission;
use crate::config::Config;
use crate::driver::{DriverCore, DriverRegistry};
use crate::ended_logs::EndedLogs;
use crate::lifecycle::Lifecycle;
use crate::registry::Registry;

/// The parts that the service, its actors and the janitor share.
pub struct Core {
    pub config: Arc<Config>,
    pub store: Arc<dyn Store>,
    pub launcher: Arc<dyn Launcher>,
    pub clock: Arc<dyn Clock>,
    pub registry: Registry,
    /// Held for reading while a session is in the store and not yet in the registry.
    pub registering: RwLock<()>,
    /// One permit for each session that may live.
    pub places: Arc<Semaphore>,
    pub drivers: Arc<DriverCore>,
    pub lifecycle: Lifecycle,
    pub ended_logs: EndedLogs<SessionId>,
}

impl Core {
    /// Makes the shared parts, with an empty registry and all permits free.
    pub fn new(
        config: Config,
        store: Arc<dyn Store>,
        launcher: Arc<dyn Launcher>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let config = Arc::new(config);
        let limits = &config.limits;
        let lifecycle = Lifecycle::default();
        let places = Arc::new(Semaphore::new(limits.live_sessions));
        // How many sessions may live is decided when they are created.
        let admission = Admission::new(limits.concurrent_starts, None);
        let drivers = Arc::new(DriverCore {
            program: DriverProgram::Agent,
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
            registering: RwLock::default(),
            places,
            drivers,
            lifecycle,
            ended_logs: EndedLogs::default(),
        }
    }
}
