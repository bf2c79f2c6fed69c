//! Drivers with pods on a Kubernetes cluster.
//!
//! In cluster mode the driver is a pod. The agent and the launch document are in a Secret that the
//! server makes before the submitter starts. One watch tells about the driver pods of a namespace, and
//! the log of each is followed (`livius-kubernetes`). After the driver's end the server deletes its pods
//! and its Secret. In client mode the pods are its executors.
//!
//! `docs/adr/0027-the-agent-travels-in-a-secret.md` and
//! `docs/adr/0028-the-log-of-a-pod-is-followed.md` have the reasons.

mod access;
mod address;
mod ending;
mod executors;
mod limits;
mod log;
mod memory;
mod namespaces;
mod objects;
mod own_pod;
mod pages;
mod place;
mod pods;
mod sighting;

pub use access::kubernetes_access;
pub(crate) use executors::{ExecutorsOfDriver, PodExecutors};
pub(crate) use limits::{Installed, Known, OUR_LABELS, OUR_NAMES};
pub use limits::{KubernetesLimits, KubernetesRefusal};
pub(crate) use log::PodLogs;
pub(crate) use memory::Memory;
pub(crate) use namespaces::Namespaces;
pub(crate) use own_pod::OwnPod;
pub use pages::SparkPages;
pub(crate) use place::{AGENT, LAUNCH, OnKubernetes};
pub(crate) use pods::DriverPods;
