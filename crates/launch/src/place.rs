//! The part of a driver that is on a cluster, and that the server itself looks after.

use serde::{Deserialize, Serialize};

use crate::kubernetes::OnKubernetes;
use crate::yarn::OnYarn;

pub(crate) use crate::remote::Mode;

/// The facts by which that part is found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// An application on YARN.
    Yarn(OnYarn),
    /// Pods on Kubernetes.
    Kubernetes(OnKubernetes),
}

impl Place {
    pub(crate) fn mode(&self) -> Mode {
        match self {
            Self::Yarn(place) => place.mode,
            Self::Kubernetes(place) => place.mode,
        }
    }
}
