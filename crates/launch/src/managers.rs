//! The resource managers that drivers run on.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use livius_domain::{Clock, DriverId, chain};
use livius_kubernetes::{KubernetesError, Namespace};

use crate::driver_dir::DriverDir;
use crate::executors::{Known, Roster};
use crate::kubernetes::{
    DriverPods, ExecutorsOfDriver, Memory, Namespaces, OnKubernetes, PodExecutors, PodLogs,
    SparkPages,
};
use crate::place::Place;
use crate::remote::{Remote, Unanswered};
use crate::yarn::{
    ClusterError, Clusters, Mirror, Mirrors, OnYarn, YarnApplication, YarnExecutors,
};
use crate::{ExecutorLogLimits, Spawn};

/// The grace of a driver that no record names.
const DELETE_GRACE: Duration = Duration::from_secs(10);

/// The reason why a resource manager cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManagerError {
    #[error(transparent)]
    Yarn(#[from] ClusterError),
    #[error("prepare requests to Kubernetes")]
    Kubernetes(#[from] KubernetesError),
    #[error("work on it to its end")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// All resource managers.
pub(crate) struct Managers {
    clusters: Arc<Clusters>,
    namespaces: Namespaces,
    pod_logs: PodLogs,
    pod_executors: Arc<PodExecutors>,
    pub(crate) mirrors: Arc<Mirrors>,
    pub(crate) yarn_executors: Arc<YarnExecutors>,
    pub(crate) memory: Arc<Memory>,
    pages: SparkPages,
    spawn: Spawn,
}

impl fmt::Debug for Managers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Managers").finish_non_exhaustive()
    }
}

/// An opened place.
pub(crate) struct Opened {
    pub(crate) remote: Box<dyn Remote>,
    /// The namespace, if it is one.
    pub(crate) namespace: Option<Namespace>,
}

impl Managers {
    pub(crate) fn new(
        data_dir: &Utf8Path,
        log_limit: u64,
        executor_logs: ExecutorLogLimits,
        pages: SparkPages,
        clock: Arc<dyn Clock>,
        spawn: Spawn,
    ) -> Self {
        Self {
            clusters: Arc::new(Clusters::new(Arc::clone(&spawn), Arc::clone(&clock))),
            namespaces: Namespaces::new(Arc::clone(&spawn), clock),
            pod_logs: PodLogs::new(log_limit),
            pod_executors: Arc::new(PodExecutors::new(executor_logs)),
            mirrors: Arc::new(Mirrors::new(log_limit)),
            yarn_executors: Arc::new(YarnExecutors::new(executor_logs)),
            memory: Arc::new(Memory::new(data_dir.to_owned())),
            pages,
            spawn,
        }
    }

    /// The part of a driver that is at this place.
    pub(crate) async fn open(
        &self,
        place: &Place,
        dir: &DriverDir,
    ) -> Result<Opened, ManagerError> {
        match place {
            Place::Yarn(place) => self.on_yarn(place.clone(), dir).await,
            Place::Kubernetes(place) => self.on_kubernetes(place.clone(), dir).await,
        }
    }

    async fn on_yarn(&self, place: OnYarn, dir: &DriverDir) -> Result<Opened, ManagerError> {
        let clusters = Arc::clone(&self.clusters);
        let look = move || {
            let cluster = clusters.of(&place)?;
            Ok((place, cluster))
        };
        let looked = tokio::task::spawn_blocking(look).await;
        let (place, cluster) =
            looked.unwrap_or_else(|error| Err(ManagerError::Interrupted(error)))?;
        let mirror = self.mirrors.of(dir.mirrored(), &cluster);
        let executors = self.yarn_executors.of(dir, &cluster, &place.tag);
        let spawn = Arc::clone(&self.spawn);
        let application = YarnApplication::new(place, cluster, mirror, executors, spawn);
        Ok(Opened {
            remote: Box::new(application),
            namespace: None,
        })
    }

    async fn on_kubernetes(
        &self,
        place: OnKubernetes,
        dir: &DriverDir,
    ) -> Result<Opened, ManagerError> {
        let namespace = self.namespaces.of(&place).await?;
        let log = self.pod_logs.of(dir.mirrored(), &namespace);
        let (dir, pages) = (dir.clone(), self.pages.clone());
        let all = Arc::clone(&self.pod_executors);
        let executors = ExecutorsOfDriver::new(all, &namespace, &place.driver, dir.clone());
        let pods = DriverPods::new(place, namespace.clone(), dir, log, pages, executors);
        Ok(Opened {
            remote: Box::new(pods),
            namespace: Some(namespace),
        })
    }

    /// The copy of the log of an executor, if its driver is on YARN. Blocks. `None` if the log is not
    /// kept.
    pub(crate) fn log_on_yarn(
        &self,
        place: &OnYarn,
        dir: &DriverDir,
        roster: &Roster,
        known: &Known,
    ) -> io::Result<Option<Arc<Mirror>>> {
        let cluster = self.clusters.of(place).map_err(io::Error::other)?;
        self.yarn_executors.log(dir, &cluster, roster, known)
    }

    /// The drivers of which a cluster has something with this server's label. A cluster that does not
    /// answer has none for now.
    pub(crate) async fn drivers(&self) -> io::Result<Vec<DriverId>> {
        let mut drivers = Vec::new();
        for place in self.places().await? {
            match self.drivers_in(&place).await {
                Ok(found) => drivers.extend(found),
                Err(error) => {
                    tracing::warn!(
                        namespace = place.namespace,
                        url = place.access.url,
                        error = chain(&error),
                        "cannot look for pods that no driver needs"
                    );
                }
            }
        }
        drivers.sort_unstable();
        drivers.dedup();
        Ok(drivers)
    }

    async fn drivers_in(&self, place: &OnKubernetes) -> Result<Vec<DriverId>, KubernetesError> {
        let labels = self.namespaces.of(place).await?.drivers().await?;
        let named = labels.iter().filter_map(|label| DriverId::parse(label));
        Ok(named.collect())
    }

    /// Deletes everything that clusters have of a driver.
    pub(crate) async fn delete(&self, driver: &DriverId) -> Result<(), Unanswered> {
        for place in self.places().await? {
            let namespace = self.namespaces.of(&place).await?;
            namespace.delete(driver.as_str(), DELETE_GRACE).await?;
        }
        Ok(())
    }

    /// The namespaces that this server has used.
    async fn places(&self) -> io::Result<Vec<OnKubernetes>> {
        let memory = Arc::clone(&self.memory);
        let read = tokio::task::spawn_blocking(move || memory.places()).await;
        read.map_err(io::Error::other)?
    }
}
