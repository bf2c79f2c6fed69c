//! The drivers that this server drives: taken at the start, and whenever another server has lost
//! them.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::{DriverId, DriverRecord, Lease};
use livius_store::Claim;

use crate::driver::DriverCore;
use crate::error::SessionError;

/// How long this server may drive its drivers without renewing its right.
pub(crate) const LEASE: Duration = Duration::from_mins(1);

/// How often it renews the right, and looks for drivers that no server drives.
pub(crate) const INTERVAL: Duration = Duration::from_secs(15);

/// Claims every driver of a program that no other server drives, when the server starts.
pub(crate) async fn claim_all(core: &DriverCore) -> Result<Claimed, SessionError> {
    claim(core, true).await
}

/// Renews this server's leases, and claims the drivers that another server has lost.
pub(crate) async fn claim_lost(core: &DriverCore) -> Result<Claimed, SessionError> {
    core.store
        .renew_leases(&lease(core, core.clock.now()))
        .await?;
    claim(core, false).await
}

/// Drivers that have no actor yet in this server.
pub(crate) type Claimed = HashMap<DriverId, DriverRecord>;

async fn claim(core: &DriverCore, own: bool) -> Result<Claimed, SessionError> {
    let now = core.clock.now();
    let claim = Claim {
        lease: &lease(core, now),
        now,
        program: core.program,
        own,
    };
    let claimed = core.store.claim_drivers(claim).await?;
    let free = |record: &DriverRecord| core.registry.find(&record.id).is_none();
    Ok(claimed
        .into_iter()
        .filter(free)
        .map(|record| (record.id.clone(), record))
        .collect())
}

/// The driver of a claim as it is now. `None` when it has ended since.
pub(crate) async fn current(
    core: &DriverCore,
    id: &DriverId,
) -> Result<Option<DriverRecord>, SessionError> {
    if core.registry.find(id).is_some() {
        return Ok(None);
    }
    let driver = core.store.driver(id).await?;
    Ok(driver.filter(|driver| !driver.state.is_gone()))
}

/// The lease that this server takes now.
pub(crate) fn lease(core: &DriverCore, now: Timestamp) -> Lease {
    Lease {
        server: core.config.server.clone(),
        until: now.checked_add(LEASE).unwrap_or(Timestamp::MAX),
    }
}
