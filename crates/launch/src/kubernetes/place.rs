//! The facts by which the pods of a driver are found again.

use livius_kubernetes::Access;
use serde::{Deserialize, Serialize};

use crate::remote::Mode;

/// The file with the launch document in a driver's Secret.
pub(crate) const LAUNCH: &str = "launch.json";
/// The file with the agent's jar in a driver's Secret.
pub(crate) const AGENT: &str = "agent.jar";

/// A driver's pods: `kubernetes.json`, and a part of the driver's location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OnKubernetes {
    /// The API server, and the places of the credentials for it.
    pub(crate) access: Access,
    pub(crate) namespace: String,
    /// The labels of its pods: the driver's id and the server's.
    pub(crate) driver: String,
    pub(crate) server: String,
    pub(crate) mode: Mode,
}
