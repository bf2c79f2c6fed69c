//! A namespace: the entry to everything that this crate does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::core::PartialObjectMeta;
use livius_domain::Clock;
use tokio::sync::Notify;

use crate::access::Access;
use crate::error::KubernetesError;
use crate::events::{self, Notice};
use crate::follow::{Follower, Registry};
use crate::log::{self, LogLines};
use crate::names::{DRIVER_LABEL, ROLE_LABEL, check_label, check_namespace, of_driver, of_server};
use crate::objects::{self, Unmade};
use crate::place::Place;
use crate::pod::DriverPod;
use crate::rights::{self, Right};
use crate::template::Template;
use crate::watch::{RoleWatch, Watch};
use crate::{client, deletion, secrets};

/// A namespace of a cluster, for one of our servers. Clones are cheap, and stand for the same
/// namespace.
///
/// Every method is one or a few requests. A repetition after a failure is the caller's. The future
/// of a method can be dropped at any time; what was requested until then stays.
#[derive(Clone)]
pub struct Namespace {
    place: Place,
    drivers: Arc<Registry>,
    executors: Arc<Registry>,
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace")
            .field("url", &self.place.url)
            .field("name", &self.place.namespace)
            .field("server", &self.place.server)
            .finish_non_exhaustive()
    }
}

impl Namespace {
    /// Reads the credentials, but sends no request yet. The server is the id of ours. The caller runs
    /// the watch in a task, or followers learn nothing.
    pub async fn open(
        access: &Access,
        name: &str,
        server: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Watch), KubernetesError> {
        check_namespace(name)?;
        check_label("a server", server)?;
        let place = Place {
            client: client::connect(access).await?,
            url: access.url.clone(),
            namespace: name.to_owned(),
            server: server.to_owned(),
        };
        let watched = |role| {
            let wake = Arc::new(Notify::new());
            let registry = Arc::new(Registry::new(Arc::clone(&wake)));
            let watch = RoleWatch {
                role,
                place: place.clone(),
                registry: Arc::downgrade(&registry),
                wake,
                clock: Arc::clone(&clock),
            };
            (registry, watch)
        };
        let (drivers, of_drivers) = watched("driver");
        let (executors, of_executors) = watched("executor");
        let watch = Watch {
            drivers: of_drivers,
            executors: of_executors,
        };
        let namespace = Self {
            place,
            drivers,
            executors,
        };
        Ok((namespace, watch))
    }

    /// The name of the namespace.
    pub fn name(&self) -> &str {
        &self.place.namespace
    }

    /// Follows the pod of a driver. The watch begins with the first follower, and rests some seconds
    /// after the last one.
    pub fn follow(&self, driver: &str) -> Follower {
        self.drivers.follow(driver)
    }

    /// Follows the pods of a driver's executors, in the same way.
    pub fn follow_executors(&self, driver: &str) -> Follower {
        self.executors.follow(driver)
    }

    /// The pods of a driver, now, the newest first. Those of its executors are not among them.
    pub async fn find(&self, driver: &str) -> Result<Vec<DriverPod>, KubernetesError> {
        let labels = of_driver(&self.place.server, driver)?;
        let labels = format!("{labels},{ROLE_LABEL}=driver");
        let pods = self.place.list::<Pod>(&labels).await?;
        let mut found: Vec<DriverPod> = pods.into_iter().map(DriverPod::read).collect();
        found.sort_by(|one, other| other.age().cmp(&one.age()));
        Ok(found)
    }

    /// The ids of the drivers that have a pod or a secret of our server, sorted.
    pub async fn drivers(&self) -> Result<Vec<String>, KubernetesError> {
        let labels = of_server(&self.place.server);
        let pods = self.place.list::<PartialObjectMeta<Pod>>(&labels).await?;
        let secrets = self.place.list::<PartialObjectMeta<Secret>>(&labels);
        let pods = pods.into_iter().map(|pod| pod.metadata);
        let secrets = secrets.await?.into_iter().map(|secret| secret.metadata);
        let mut drivers: Vec<String> = pods
            .chain(secrets)
            .filter_map(|metadata| metadata.labels?.remove(DRIVER_LABEL))
            .collect();
        drivers.sort_unstable();
        drivers.dedup();
        Ok(drivers)
    }

    /// Puts files into the secret of a driver, [`secret_name`](crate::secret_name). Replaces an
    /// earlier one of the same driver. All files together have at most 1 MiB, and a file's name has
    /// letters, digits, `-`, `_` and `.`.
    pub async fn put_secret(
        &self,
        driver: &str,
        files: BTreeMap<String, Vec<u8>>,
    ) -> Result<(), KubernetesError> {
        secrets::put(&self.place, driver, files).await
    }

    /// Makes a pod the owner of its driver's secret, so that Kubernetes removes the secret with the
    /// pod. A repetition changes nothing.
    pub async fn give_secret(&self, driver: &str, pod: &DriverPod) -> Result<(), KubernetesError> {
        secrets::give(&self.place, driver, pod).await
    }

    /// Makes the objects of a template for the pod of a driver, owned by the pod, so that Kubernetes
    /// removes them with it. A repetition changes nothing. Returns those that the pod does not have.
    pub async fn put_objects(&self, template: &Template, pod: &DriverPod) -> Vec<Unmade> {
        objects::put(&self.place, template, pod).await
    }

    /// Asks for the deletion of all pods of a driver, those of its executors among them, and removes
    /// its secret. Answers with the number of pods that there were; they end within the grace. With
    /// the grace 0, Kubernetes forgets them at once, and their processes end a little later.
    pub async fn delete(&self, driver: &str, grace: Duration) -> Result<usize, KubernetesError> {
        deletion::of(&self.place, driver, grace).await
    }

    /// The events of a pod, the newest last. At most the last 50 of the last hour.
    pub async fn events(&self, pod: &DriverPod) -> Result<Vec<Notice>, KubernetesError> {
        events::of(&self.place, pod).await
    }

    /// Reads the log of a container, from a time on. Kubernetes cuts the time down to the second, so
    /// earlier lines of that second come too. With `follow`, the lines come as the container writes
    /// them, until it ends; the future waits until it has written something. A container that has not
    /// started is [`KubernetesError::Refused`] with status 400.
    pub async fn log(
        &self,
        pod: &DriverPod,
        container: &str,
        since: Option<Timestamp>,
        follow: bool,
    ) -> Result<LogLines, KubernetesError> {
        log::open(&self.place, pod, container, since, follow).await
    }

    /// The version of the API server, such as `v1.33.1`.
    pub async fn version(&self) -> Result<String, KubernetesError> {
        rights::version(&self.place).await
    }

    /// Asks for each of these rights in this namespace, and returns the missing ones. This crate needs
    /// those of [`Right::NEEDED`].
    pub async fn missing(&self, rights: &[Right]) -> Result<Vec<Right>, KubernetesError> {
        rights::missing(&self.place, rights).await
    }
}
