//! The drivers that this server drives: taken at the start, and whenever another server has lost
//! them.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::{DriverId, DriverRecord, Lease};

use crate::driver::DriverCore;
use crate::error::SessionError;

/// How long this server may drive its drivers without renewing its right.
pub(crate) const LEASE: Duration = Duration::from_mins(1);

/// How often it renews the right, and looks for drivers that no server drives.
pub(crate) const INTERVAL: Duration = Duration::from_secs(15);

/// Claims every driver that no other server drives. Those that have no actor yet are to be taken
/// up.
pub(crate) async fn claim(
    core: &DriverCore,
) -> Result<HashMap<DriverId, DriverRecord>, SessionError> {
    let now = core.clock.now();
    let claimed = core.store.claim_drivers(&lease(core, now), now).await?;
    let free = |record: &DriverRecord| core.registry.find(&record.id).is_none();
    Ok(claimed
        .into_iter()
        .filter(free)
        .map(|record| (record.id.clone(), record))
        .collect())
}

/// The lease that this server takes now.
pub(crate) fn lease(core: &DriverCore, now: Timestamp) -> Lease {
    Lease {
        server: core.config.server.clone(),
        until: now.checked_add(LEASE).unwrap_or(Timestamp::MAX),
    }
}
