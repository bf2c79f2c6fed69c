//! A client of the API server of a Kubernetes cluster for the pods of drivers: it finds them by
//! their labels, follows them, reads their events and logs, gives them files in secrets and the
//! objects of a template, and deletes them.
//!
//! Purpose: one watch tells about all followed drivers of a namespace, so that thousands of them
//! cost the API server no more than one. Non-goals: the creation of pods, and what runs in them.
//! Spark creates the pods of its drivers itself. This crate knows no more of Spark than two labels.
//!
//! Two labels say whose a pod is: [`SERVER_LABEL`] and [`DRIVER_LABEL`]. No request of this crate
//! reads or changes a pod or a secret without the label of its server.

#![warn(missing_docs)]

mod access;
mod client;
mod credentials;
mod deletion;
mod error;
mod events;
mod follow;
mod log;
mod names;
mod namespace;
mod objects;
mod place;
mod pod;
mod rights;
mod secrets;
mod template;
mod text;
mod watch;

pub use access::Access;
pub use error::KubernetesError;
pub use events::Notice;
pub use follow::{Follower, Outage, Seen};
pub use log::{LogLine, LogLines};
pub use names::{DRIVER_LABEL, SERVER_LABEL, secret_name};
pub use namespace::Namespace;
pub use objects::Unmade;
pub use pod::{ContainerState, ContainerStatus, DriverPod, Phase};
pub use rights::Right;
pub use template::{Names, Template};
pub use watch::Watch;
