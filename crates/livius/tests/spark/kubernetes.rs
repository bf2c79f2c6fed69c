//! Sessions and batches on a real Kubernetes: an API server, its controllers, and a node that runs
//! containers as processes of this machine.

mod cluster_mode;
mod conforming;
mod reasons;
mod world;

use crate::Case;

/// They run where the API server was built before: `cargo xtask test --kubernetes` builds it. What
/// Kubernetes tells does not depend on Spark.
pub const ONCE: &[Case] = &[
    (
        "kubernetes::drivers_in_pods_survive_a_killed_server_and_end_for_good",
        cluster_mode::all,
    ),
    (
        "kubernetes::each_failure_has_the_reason_that_kubernetes_gives",
        reasons::all,
    ),
];

/// What `cargo xtask test --kubernetes` adds.
pub const WHOLE: &[Case] = &[
    (
        "kubernetes::drivers_survive_a_killed_server_with_this_spark_too",
        cluster_mode::whole,
    ),
    (
        "kubernetes::a_lost_node_is_the_reason_of_its_drivers_end",
        reasons::whole,
    ),
    (
        "kubernetes::drivers_in_pods_hold_to_the_contract_of_launchers",
        conforming::all,
    ),
];
