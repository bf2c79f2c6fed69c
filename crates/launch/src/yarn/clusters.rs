//! The YARN clusters that drivers run on.

use std::sync::{Arc, Mutex, PoisonError};

use livius_domain::Clock;
use livius_yarn::{Cluster, Config, Site, SiteError, YarnError};

use super::OnYarn;
use crate::Spawn;

/// The reason why a cluster cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    #[error("read the addresses of YARN")]
    Site(#[from] SiteError),
    #[error("prepare requests to YARN")]
    Client(#[from] YarnError),
}

/// All clusters. Drivers on one cluster share its watcher.
pub(crate) struct Clusters {
    known: Mutex<Vec<Known>>,
    spawn: Spawn,
    clock: Arc<dyn Clock>,
}

struct Known {
    site: Site,
    user: String,
    cluster: Cluster,
}

impl Clusters {
    pub(crate) fn new(spawn: Spawn, clock: Arc<dyn Clock>) -> Self {
        Self {
            known: Mutex::default(),
            spawn,
            clock,
        }
    }

    /// The cluster of a driver. Reads Hadoop's files, which the administrator may have changed, and
    /// so blocks.
    pub(crate) fn of(&self, place: &OnYarn) -> Result<Cluster, ClusterError> {
        let site = Site::read(&place.conf)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&Known| one.site == site && one.user == place.user;
        if let Some(found) = known.iter().find(same) {
            return Ok(found.cluster.clone());
        }
        let config = Config::of(place.user.clone());
        let (cluster, watcher) = Cluster::new(site.clone(), config, Arc::clone(&self.clock))?;
        (self.spawn)(Box::pin(watcher.run()));
        known.push(Known {
            site,
            user: place.user.clone(),
            cluster: cluster.clone(),
        });
        Ok(cluster)
    }
}
