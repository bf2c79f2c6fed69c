//! Sessions and batches on Spark's standalone cluster: a real master and real workers of the same
//! installation.

mod client_mode;
mod cluster_mode;
mod machinery;

use crate::Case;

pub const CASES: &[Case] = &[
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
