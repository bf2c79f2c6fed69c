//! The drivers that this server drives: taken at the start, and whenever another server has lost
//! them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use livius_domain::{
    Departure, DriverEnd, DriverId, DriverRecord, DriverState, Phase, Unseen, chain,
};
use livius_store::{Claim, StoreError};
use tokio::time::{Instant, interval_at};

use crate::driver::DriverCore;
use crate::error::SessionError;

/// The interval in which the server renews its leases, and looks for drivers that no server drives.
const INTERVAL: Duration = Duration::from_secs(15);

/// Claims every driver of a program that no other server drives, when the server starts.
pub(crate) async fn claim_all(core: &DriverCore) -> Result<Claimed, SessionError> {
    claim(core, true).await
}

/// Renews this server's leases, and has the drivers taken up that another server has lost, until the
/// server stops.
pub(crate) async fn keep<F>(core: Arc<DriverCore>, take_up: impl Fn(Claimed) -> F)
where
    F: Future<Output = Result<(), SessionError>>,
{
    // The server has just claimed everything.
    let mut interval = interval_at(Instant::now() + INTERVAL, INTERVAL);
    loop {
        tokio::select! {
            biased;
            () = core.lifecycle.stopping() => return,
            _ = interval.tick() => {}
        }
        let result = match claim_lost(&core).await {
            Ok(lost) if lost.is_empty() => Ok(()),
            Ok(lost) => take_up(lost).await,
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(error = %chain(&error), "cannot take up drivers without a server");
        }
    }
}

/// Renews this server's leases, and claims the drivers that another server has lost.
async fn claim_lost(core: &DriverCore) -> Result<Claimed, SessionError> {
    core.store
        .renew_leases(&core.lease(core.clock.now()))
        .await?;
    claim(core, false).await
}

/// Drivers that have no actor yet in this server.
pub(crate) type Claimed = HashMap<DriverId, DriverRecord>;

async fn claim(core: &DriverCore, own: bool) -> Result<Claimed, SessionError> {
    let now = core.clock.now();
    let claim = Claim {
        lease: &core.lease(now),
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

/// The state in the store of a driver that was not claimed for its session or batch.
pub(crate) enum Unclaimed {
    /// The driver is gone.
    Gone(Box<DriverRecord>),
    /// Another server drives it, or its row cannot be read.
    Elsewhere,
    /// There is no such driver.
    Missing,
}

/// Looks for a driver that was not claimed.
pub(crate) async fn unclaimed(
    core: &DriverCore,
    id: Option<&DriverId>,
) -> Result<Unclaimed, SessionError> {
    let Some(id) = id else {
        return Ok(Unclaimed::Missing);
    };
    match core.store.driver(id).await {
        Ok(Some(driver)) if driver.state.is_gone() => Ok(Unclaimed::Gone(Box::new(driver))),
        Ok(Some(_)) => Ok(Unclaimed::Elsewhere),
        Ok(None) => Ok(Unclaimed::Missing),
        // One row that cannot be read must not keep the server from starting.
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(driver.id = %id, error = %chain(&error), "leaving a driver alone that cannot be read");
            Ok(Unclaimed::Elsewhere)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the row of the session or batch that a driver was made for can be read, or is gone. A
/// server that was rolled back cannot read all rows of the later one, and must not end their
/// drivers.
pub(crate) fn is_readable<T>(
    driver: &DriverId,
    row: Result<Option<T>, StoreError>,
) -> Result<bool, SessionError> {
    match row {
        Ok(_) => Ok(true),
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(driver.id = %driver, error = %chain(&error), "leaving a driver alone whose session or batch cannot be read");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// A driver that has no row although its session or batch had begun: its end is unknown.
pub(crate) fn lost(driver: DriverRecord) -> DriverRecord {
    DriverRecord {
        state: DriverState::Gone(DriverEnd {
            phase: Phase::Running,
            cause: None,
            failure: None,
            forced: false,
            departure: Some(Departure::unseen(Unseen::RecordMissing)),
        }),
        ..driver
    }
}
