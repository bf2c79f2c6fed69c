//! Sessions and batches on Spark's standalone cluster: a real master and real workers of the same
//! installation.

mod client_mode;
mod cluster_mode;
mod machinery;

use crate::Case;

/// The master says how a driver ended, in the same words in every Spark. Each case starts a cluster and
/// many drivers, so the suite has time for one Spark. `cargo xtask test --standalone` takes each.
pub const OLDER: &[Case] = &[
    (
        "standalone::client_mode_runs_on_the_workers_and_bears_the_loss_of_one",
        client_mode::all,
    ),
    (
        "standalone::cluster_mode_is_followed_to_the_true_end",
        cluster_mode::batches,
    ),
    (
        "standalone::cluster_mode_serves_sessions",
        cluster_mode::sessions,
    ),
];
