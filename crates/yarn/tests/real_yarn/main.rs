//! The client with a real ResourceManager, NodeManager and server of aggregated logs. The
//! applications are shell commands without a master, so each costs seconds.
//!
//! `cargo xtask test` gets YARN, and names it in `LIVIUS_TEST_YARN`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it does, and fails loudly"
)]

mod endings;
mod failover;
mod logs;
mod outage;
mod queues;
mod world;

use std::process::ExitCode;

use livius_testkit::{CaseIn, YarnCluster, run_in_one_world};

use crate::world::World;

type Case = CaseIn<World>;

const CASES: [&[Case]; 4] = [endings::CASES, logs::CASES, queues::CASES, outage::CASES];

fn main() -> ExitCode {
    if YarnCluster::jars().is_none() {
        println!(
            "SKIPPED: no tests with real YARN, as LIVIUS_TEST_YARN is not set; `cargo xtask test` sets it"
        );
        return ExitCode::SUCCESS;
    }
    let mut cases = CASES.to_vec();
    if std::env::var_os("LIVIUS_TEST_WHOLE").is_some() {
        cases.push(failover::WHOLE);
        cases.push(queues::WHOLE);
    }
    run_in_one_world(&cases, World::start, World::stop)
}
