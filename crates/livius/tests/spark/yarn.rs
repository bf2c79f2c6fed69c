//! Sessions and batches on a real YARN: a ResourceManager and a NodeManager on this machine.

mod cluster_mode;
mod reasons;
mod world;

use crate::Case;

pub const CASES: &[Case] = &[(
    "yarn::drivers_in_containers_survive_a_killed_server_and_end_for_good",
    cluster_mode::all,
)];

/// YARN tells why an application ended, whatever Spark it runs. In client mode Spark's side is the same
/// as with a standalone cluster.
pub const ONCE: &[Case] = &[(
    "yarn::each_failure_has_the_reason_that_yarn_gives",
    reasons::all,
)];
