//! The cluster for tests itself: its node does with pods what a real node does with them.
//!
//! `cargo xtask test --kubernetes` builds the API server, and names it in `LIVIUS_TEST_KUBERNETES`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it does, and fails loudly"
)]

mod ends;
mod logs;
mod outages;
mod spark;
mod starts;
mod world;

use std::process::ExitCode;

use livius_testkit::{CaseIn, KubernetesCluster, run_in_one_world};

use crate::world::World;

type Case = CaseIn<World>;

const CASES: [&[Case]; 5] = [
    starts::CASES,
    ends::CASES,
    logs::CASES,
    spark::CASES,
    outages::CASES,
];

fn main() -> ExitCode {
    if let Err(reason) = KubernetesCluster::binary() {
        println!("SKIPPED: no tests of the cluster for tests, as {reason}");
        return ExitCode::SUCCESS;
    }
    run_in_one_world(&CASES, World::start, World::stop)
}
