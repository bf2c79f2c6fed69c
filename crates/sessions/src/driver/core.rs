//! The parts that all actors of drivers share.

use std::sync::Arc;

use livius_domain::{Clock, DriverProgram};
use livius_launch::Launcher;
use livius_store::DriverStore;

use super::DriverRegistry;
use crate::admission::Admission;
use crate::config::Config;
use crate::lifecycle::Lifecycle;

/// The parts that the drivers of one kind share: those of sessions, or those of batches.
pub(crate) struct DriverCore {
    /// The program of these drivers.
    pub program: DriverProgram,
    pub config: Arc<Config>,
    pub store: Arc<dyn DriverStore>,
    pub launcher: Arc<dyn Launcher>,
    pub clock: Arc<dyn Clock>,
    pub lifecycle: Lifecycle,
    pub registry: DriverRegistry,
    /// Decides which driver starts next.
    pub admission: Arc<Admission>,
}
