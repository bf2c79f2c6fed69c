//! What every part of the batches works with. Actors hold this, not the operations that clients make.

use std::sync::Arc;

use livius_domain::{BatchId, Clock};
use livius_launch::Launcher;
use livius_store::BatchStore;
use tokio::sync::{RwLock, Semaphore};

use super::registry::Registry;
use super::turns::Turns;
use crate::config::Config;
use crate::ended_logs::EndedLogs;
use crate::lifecycle::Lifecycle;

/// The parts that the service and its actors share.
pub struct Core {
    pub config: Config,
    pub store: Arc<dyn BatchStore>,
    pub launcher: Arc<dyn Launcher>,
    pub clock: Arc<dyn Clock>,
    pub registry: Registry,
    /// Held for reading while a batch is in the store and not yet in the registry.
    pub registering: RwLock<()>,
    /// One permit for each batch that may wait for its turn.
    pub places: Arc<Semaphore>,
    pub turns: Arc<Turns>,
    pub lifecycle: Lifecycle,
    pub ended_logs: EndedLogs<BatchId>,
}

impl Core {
    /// Makes the shared parts, with an empty registry and all permits free.
    pub fn new(
        config: Config,
        store: Arc<dyn BatchStore>,
        launcher: Arc<dyn Launcher>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let limits = &config.limits;
        let places = Arc::new(Semaphore::new(limits.waiting_batches));
        let turns = Turns::new(limits.concurrent_batch_starts, limits.running_batches);
        Self {
            config,
            store,
            launcher,
            clock,
            registry: Registry::default(),
            registering: RwLock::default(),
            places,
            turns: Arc::new(turns),
            lifecycle: Lifecycle::default(),
            ended_logs: EndedLogs::default(),
        }
    }
}
