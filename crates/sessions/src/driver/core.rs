//! The parts that all actors of drivers share.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::{Clock, DriverId, DriverProgram, DriverRecord, DriverUse, Lease, chain};
use livius_failpoint::{Point, reach};
use livius_launch::Launcher;
use livius_store::DriverStore;

use super::DriverRegistry;
use crate::admission::Admission;
use crate::config::Config;
use crate::lifecycle::Lifecycle;
use crate::secret;

/// The time that this server may drive its drivers without renewing its right.
const LEASE: Duration = Duration::from_mins(1);

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

impl DriverCore {
    /// A new record of a driver, for this server.
    pub fn record(&self, made_for: DriverUse) -> DriverRecord {
        let now = self.clock.now();
        let id = match made_for {
            DriverUse::Session(session) => DriverId::for_session(session, secret::random()),
            DriverUse::Batch(batch) => DriverId::for_batch(batch, secret::random()),
            DriverUse::Pool => DriverId::for_pool(secret::random()),
        };
        DriverRecord {
            lease: Some(self.lease(now)),
            ..DriverRecord::new(id, self.program, made_for, now)
        }
    }

    /// The lease that this server takes now.
    pub fn lease(&self, now: Timestamp) -> Lease {
        Lease {
            server: self.config.server.clone(),
            until: now.checked_add(LEASE).unwrap_or(Timestamp::MAX),
        }
    }

    /// Removes everything of a driver that is gone. A failure is logged.
    pub async fn forget(&self, id: &DriverId) {
        self.launcher.files(id).remove().await;
        reach(Point::PurgeFilesRemoved);
        if let Err(error) = self.store.delete_driver(id).await {
            tracing::warn!(driver.id = %id, error = %chain(&error), "cannot forget a driver");
        }
        reach(Point::PurgeDriverDeleted);
    }
}
