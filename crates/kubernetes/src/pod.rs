//! Pods of drivers, as the API server knows them.

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};

use crate::names::{APP_LABEL, DRIVER_LABEL};
use crate::text::{message, name, present};

/// The most containers of a pod that are told.
const MOST_CONTAINERS: usize = 50;

/// The pod of a driver. Names and reasons have at most 300 bytes, messages at most 1000; longer ones
/// are cut and end with `…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriverPod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its id, which no other object ever gets.
    pub uid: String,
    /// The id of the driver, from the label [`DRIVER_LABEL`].
    pub driver: String,
    /// Spark's id of the application, from the label `spark-app-selector`.
    pub app: Option<String>,
    /// Its phase.
    pub phase: Phase,
    /// The reason of its phase in one word, such as `Evicted` or `DeadlineExceeded`.
    pub reason: Option<String>,
    /// The reason of its phase in words.
    pub message: Option<String>,
    /// Its containers, first those that prepare it. At most 50.
    pub containers: Vec<ContainerStatus>,
    /// The node that it was assigned to.
    pub node: Option<String>,
    /// Its address.
    pub ip: Option<String>,
    /// Why no node was found for it, in words. `None` if one was found, or if nothing was tried yet.
    pub unscheduled: Option<String>,
    /// Why the cluster ends it: the reason and the message of the condition `DisruptionTarget`, such
    /// as `PreemptionByScheduler: …`.
    pub disruption: Option<String>,
    /// Whether its deletion was requested. It still exists then.
    pub deleting: bool,
    /// The time at which it was created.
    pub created: Option<Timestamp>,
    /// The time at which its node accepted it.
    pub started: Option<Timestamp>,
}

/// The phase of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Phase {
    /// It waits for a node, for an image, or for the start of its containers.
    #[default]
    Pending,
    /// At least one container runs, starts or restarts.
    Running,
    /// All containers ended with exit code 0.
    Succeeded,
    /// All containers ended, and one with another exit code or by the cluster.
    Failed,
    /// The node does not report.
    Unknown,
    /// A phase of a later version.
    Other(String),
}

impl Phase {
    fn read(text: Option<&str>) -> Self {
        match text {
            None | Some("Pending") => Self::Pending,
            Some("Running") => Self::Running,
            Some("Succeeded") => Self::Succeeded,
            Some("Failed") => Self::Failed,
            Some("Unknown") => Self::Unknown,
            Some(other) => Self::Other(name(other.to_owned())),
        }
    }

    /// Tells whether the pod has ended. It can still be there.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Succeeded | Self::Failed => true,
            Self::Pending | Self::Running | Self::Unknown | Self::Other(_) => false,
        }
    }
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerStatus {
    /// Its name.
    pub name: String,
    /// Whether it only prepares the pod, and the others wait for it.
    pub is_init: bool,
    /// Its image, as the pod names it.
    pub image: String,
    /// Its limit of memory, such as `1408Mi`.
    pub memory_limit: Option<String>,
    /// Its state. `None` before the node reports.
    pub state: Option<ContainerState>,
    /// Its end before the last restart.
    pub last_end: Option<ContainerState>,
    /// How often it was restarted.
    pub restarts: u32,
}

/// The state of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    /// It does not run yet.
    Waiting {
        /// The reason in one word, such as `ImagePullBackOff` or `ContainerCreating`.
        reason: Option<String>,
        /// The reason in words.
        message: Option<String>,
    },
    /// It runs.
    Running {
        /// The time of its start.
        started: Option<Timestamp>,
    },
    /// It has ended.
    Terminated {
        /// The exit code.
        exit_code: i32,
        /// The signal that ended it, if the node tells.
        signal: Option<i32>,
        /// The reason in one word, such as `Completed`, `Error` or `OOMKilled`.
        reason: Option<String>,
        /// The reason in words.
        message: Option<String>,
        /// The time of its start.
        started: Option<Timestamp>,
        /// The time of its end.
        finished: Option<Timestamp>,
    },
}

impl DriverPod {
    /// The state of a container.
    pub fn container(&self, name: &str) -> Option<&ContainerStatus> {
        self.containers.iter().find(|one| one.name == name)
    }

    /// The reference that has Kubernetes remove an object with this pod.
    pub(crate) fn as_owner(&self) -> OwnerReference {
        OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            ..OwnerReference::default()
        }
    }

    /// Reads a pod.
    pub(crate) fn read(pod: api::Pod) -> Self {
        let metadata = pod.metadata;
        let mut labels = metadata.labels.unwrap_or_default();
        let status = pod.status.unwrap_or_default();
        let spec = pod.spec.unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let init = containers(
            spec.init_containers.unwrap_or_default(),
            status.init_container_statuses.unwrap_or_default(),
            true,
        );
        let main = containers(
            spec.containers,
            status.container_statuses.unwrap_or_default(),
            false,
        );
        Self {
            name: name(metadata.name.unwrap_or_default()),
            namespace: name(metadata.namespace.unwrap_or_default()),
            uid: name(metadata.uid.unwrap_or_default()),
            driver: name(labels.remove(DRIVER_LABEL).unwrap_or_default()),
            app: labels.remove(APP_LABEL).map(name),
            phase: Phase::read(status.phase.as_deref()),
            reason: word(status.reason),
            message: present(status.message),
            containers: init.chain(main).take(MOST_CONTAINERS).collect(),
            node: spec.node_name.map(name),
            ip: status.pod_ip.map(name),
            unscheduled: condition(&conditions, "PodScheduled", "False").map(|scheduled| {
                let words = present(scheduled.message.clone());
                words.or(word(scheduled.reason.clone())).unwrap_or_default()
            }),
            disruption: condition(&conditions, "DisruptionTarget", "True").map(cause),
            deleting: metadata.deletion_timestamp.is_some(),
            created: time(metadata.creation_timestamp),
            started: time(status.start_time),
        }
    }

    /// The order of several pods of one driver.
    pub(crate) fn age(&self) -> (Option<Timestamp>, &str) {
        (self.created, &self.uid)
    }
}

fn condition<'a>(
    conditions: &'a [api::PodCondition],
    of: &str,
    status: &str,
) -> Option<&'a api::PodCondition> {
    let mut conditions = conditions.iter();
    conditions.find(|one| one.type_ == of && one.status == status)
}

fn cause(condition: &api::PodCondition) -> String {
    let parts = [&condition.reason, &condition.message];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    message(&parts.join(": "))
}

/// The containers that a pod wants, with what its node reports of them.
fn containers(
    wanted: Vec<api::Container>,
    mut reported: Vec<api::ContainerStatus>,
    is_init: bool,
) -> impl Iterator<Item = ContainerStatus> {
    wanted.into_iter().map(move |container| {
        let status = reported.iter().position(|one| one.name == container.name);
        let status = status.map(|at| reported.swap_remove(at));
        let (state, last, restarts) = status.map_or((None, None, 0), |status| {
            (status.state, status.last_state, status.restart_count)
        });
        let limits = container.resources.and_then(|resources| resources.limits);
        let memory = limits.and_then(|mut limits| limits.remove("memory"));
        ContainerStatus {
            name: name(container.name),
            is_init,
            image: name(container.image.unwrap_or_default()),
            memory_limit: memory.map(|quantity| name(quantity.0)),
            state: state.and_then(ContainerState::read),
            last_end: last.and_then(ContainerState::read),
            restarts: restarts.try_into().unwrap_or(0),
        }
    })
}

impl ContainerState {
    /// Reads a state. `None` for an empty one.
    fn read(state: api::ContainerState) -> Option<Self> {
        if let Some(ended) = state.terminated {
            return Some(Self::Terminated {
                exit_code: ended.exit_code,
                signal: ended.signal.filter(|signal| *signal != 0),
                reason: word(ended.reason),
                message: present(ended.message),
                started: time(ended.started_at),
                finished: time(ended.finished_at),
            });
        }
        if let Some(running) = state.running {
            let started = time(running.started_at);
            return Some(Self::Running { started });
        }
        let waiting = state.waiting?;
        Some(Self::Waiting {
            reason: word(waiting.reason),
            message: present(waiting.message),
        })
    }
}

fn word(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(name)
}

/// A time. Kubernetes writes the year 1 or 1970 for none.
pub fn time(time: Option<Time>) -> Option<Timestamp> {
    time.map(|time| time.0).filter(|time| time.as_second() > 0)
}

#[cfg(test)]
#[path = "pod/tests.rs"]
mod tests;
