//! What every part of the sessions works with. Actors hold this, not the operations that clients make.

use std::sync::Arc;

use livius_domain::{Clock, SessionId};
use livius_launch::Launcher;
use livius_store::Store;
use tokio::sync::{RwLock, Semaphore};

use crate::config::Config;
use crate::ended_logs::EndedLogs;
use crate::lifecycle::Lifecycle;
use crate::registry::Registry;

/// The parts that the service, its actors and the janitor share.
pub struct Core {
    pub config: Config,
    pub store: Arc<dyn Store>,
    pub launcher: Arc<dyn Launcher>,
    pub clock: Arc<dyn Clock>,
    pub registry: Registry,
    /// Held for reading while a session is in the store and not yet in the registry.
    pub registering: RwLock<()>,
    /// One permit for each session that may live.
    pub places: Arc<Semaphore>,
    /// One permit for each driver that may start at a time.
    pub start_slots: Arc<Semaphore>,
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
        let places = Arc::new(Semaphore::new(config.limits.live_sessions));
        let start_slots = Arc::new(Semaphore::new(config.limits.concurrent_starts.max(1)));
        Self {
            config,
            store,
            launcher,
            clock,
            registry: Registry::default(),
            registering: RwLock::default(),
            places,
            start_slots,
            lifecycle: Lifecycle::default(),
            ended_logs: EndedLogs::default(),
        }
    }
}
