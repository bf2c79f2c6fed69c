//! Sessions and batches on a real YARN: a ResourceManager and a NodeManager on this machine.

mod cluster_mode;
mod conforming;
mod reasons;
mod world;

use crate::Case;

/// The suite of all tests has time for one Spark. YARN tells why an application ended, whatever Spark
/// it runs. In client mode Spark's side is the same as with a standalone cluster.
pub const ONCE: &[Case] = &[
    (
        "yarn::drivers_in_containers_survive_a_killed_server_and_end_for_good",
        cluster_mode::all,
    ),
    (
        "yarn::each_failure_has_the_reason_that_yarn_gives",
        reasons::all,
    ),
];

/// What `cargo xtask test --yarn` adds.
pub const WHOLE: &[Case] = &[
    (
        "yarn::drivers_survive_a_killed_server_with_this_spark_too",
        cluster_mode::whole,
    ),
    (
        "yarn::a_driver_that_the_cluster_ends_has_its_reason",
        reasons::whole,
    ),
    (
        "yarn::drivers_in_containers_hold_to_the_contract_of_launchers",
        conforming::all,
    ),
];
