//! Removes what is left of drivers that no row of the store names, and of rows that nothing needs.
//!
//! A server that dies between two steps of a deletion leaves files, or the row of a driver. A server that
//! dies while it starts a driver, or whose store is put back to an older state, may leave processes. A
//! submitter that is killed may have sent a request that makes a pod after the driver's end.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use livius_domain::{DriverId, chain};
use livius_failpoint::{Point, reach};

use crate::driver::DriverCore;
use crate::error::SessionError;

/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

/// Sweeps when the server has started, and again until it stops.
pub(crate) async fn run(core: Arc<DriverCore>) {
    let sweep = async {
        loop {
            if let Err(error) = rows(&core).await {
                tracing::warn!(error = %chain(&error), "cannot look for rows of drivers that nothing needs");
            }
            if let Err(error) = this_machine(&core).await {
                tracing::warn!(error = %chain(&error), "cannot look on this machine for drivers that no record names");
            }
            if let Err(error) = clusters(&core).await {
                tracing::warn!(error = %chain(&error), "cannot look on clusters for drivers that no record names");
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::select! {
        () = core.lifecycle.stopping() => {}
        () = sweep => {}
    }
}

/// Forgets the drivers that are gone, and whose session, batch or pool is forgotten.
async fn rows(core: &DriverCore) -> Result<(), SessionError> {
    for id in core.store.abandoned_drivers().await? {
        if core.registry.find(&id).is_none() {
            tracing::info!(driver.id = %id, "forgetting a driver that nothing needs");
            core.forget(&id).await;
        }
    }
    Ok(())
}

/// Ends the processes and removes the files of drivers that no row names.
async fn this_machine(core: &DriverCore) -> Result<(), SessionError> {
    // Listed before the rows are read: a driver has its row before it has files or a process.
    let drivers = async {
        let mut drivers: BTreeSet<DriverId> =
            core.launcher.with_files().await?.into_iter().collect();
        drivers.extend(core.launcher.running_here().await?);
        Ok(drivers)
    };
    let drivers = drivers.await.map_err(SessionError::Log)?;
    reach(Point::SweepListed);
    let names = Names::of(core.store.driver_names().await?);
    for id in drivers.iter().filter(|id| !names.have(id)) {
        match core.launcher.end_here(id).await {
            Ok(()) => {
                tracing::info!(driver.id = %id, "removing what is left of a driver that no record names");
                reach(Point::SweepRemoving);
                core.launcher.files(id).remove().await;
                reach(Point::SweepRemoved);
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(driver.id = %id, error, "cannot end a driver that no record names");
            }
        }
    }
    Ok(())
}

async fn clusters(core: &DriverCore) -> Result<(), SessionError> {
    // Listed before the rows are read: a driver has its row before a cluster has anything of it.
    let drivers = core.launcher.on_clusters().await;
    let drivers = drivers.map_err(SessionError::Log)?;
    if drivers.is_empty() {
        return Ok(());
    }
    let names = Names::of(core.store.driver_names().await?);
    for id in drivers.iter().filter(|id| !names.have(id)) {
        match core.launcher.reap(id).await {
            Ok(()) => {
                tracing::info!(driver.id = %id, "ended a driver on a cluster that no record names");
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(driver.id = %id, error, "cannot end a driver on a cluster that no record names");
            }
        }
    }
    Ok(())
}

/// The names of drivers in the store.
struct Names {
    whole: HashSet<String>,
    /// Texts of damaged rows, which may have a name in them.
    damaged: Vec<String>,
}

impl Names {
    fn of(names: Vec<String>) -> Self {
        let (whole, damaged): (Vec<_>, Vec<_>) = names
            .into_iter()
            .partition(|name| DriverId::parse(name).is_some());
        Self {
            whole: whole.into_iter().collect(),
            damaged,
        }
    }

    fn have(&self, id: &DriverId) -> bool {
        let id = id.as_str();
        self.whole.contains(id) || self.damaged.iter().any(|text| text.contains(id))
    }
}
