//! Removes what is left of drivers that no row of the store names.
//!
//! A server that dies between the deletion of a driver's row and of its files leaves such files. A
//! submitter that is killed may have sent a request that makes a pod after the driver's end.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use livius_domain::{DriverId, chain};
use livius_launch::Found;

use crate::driver::DriverCore;
use crate::error::SessionError;

/// The pause between two looks at clusters.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

/// Sweeps files once, when the server has started: the next start tries again. Sweeps clusters then,
/// and again until the server stops.
pub(crate) async fn run(core: Arc<DriverCore>) {
    let sweep = async {
        if let Err(error) = files(&core).await {
            tracing::warn!(error = %chain(&error), "cannot look for files that no driver needs");
        }
        loop {
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

async fn files(core: &DriverCore) -> Result<(), SessionError> {
    // Listed before the rows are read: a driver has its row before it has files.
    let drivers = core.launcher.with_files().await;
    let drivers = drivers.map_err(SessionError::Log)?;
    let names = Names::of(core.store.driver_names().await?);
    for id in drivers {
        if !names.have(&id) {
            remove(core, &id).await;
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

async fn remove(core: &DriverCore, id: &DriverId) {
    match core.launcher.find(id, None).await {
        Found::Ended(_) | Found::NeverStarted => {
            tracing::info!(driver.id = %id, "removing the files of a driver that no record names");
            core.launcher.files(id).remove().await;
        }
        // Its agent ends it when no server knows it.
        Found::Alive(_) => {
            tracing::warn!(driver.id = %id, "a driver runs that no record names; leaving it alone");
        }
        Found::Unclear(why) => {
            tracing::warn!(driver.id = %id, why, "cannot look for a driver that no record names");
        }
    }
}
