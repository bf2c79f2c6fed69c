//! The client with a real API server, and a node of ours that runs containers as processes. The
//! pods are shell commands, so each costs seconds.
//!
//! `cargo xtask test --kubernetes` gets the API server, and names it in `LIVIUS_TEST_KUBERNETES`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it does, and fails loudly"
)]

mod access;
mod endings;
mod logs;
mod node;
mod objects;
mod outage;
mod secrets;
mod world;

use std::process::ExitCode;

use livius_testkit::{CaseIn, KubernetesCluster, run_in_one_world};

use crate::world::World;

type Case = CaseIn<World>;

const CASES: [&[Case]; 6] = [
    access::CASES,
    endings::CASES,
    logs::CASES,
    objects::CASES,
    secrets::CASES,
    outage::CASES,
];

fn main() -> ExitCode {
    if let Err(reason) = KubernetesCluster::binary() {
        println!("SKIPPED: no tests with a real Kubernetes: {reason}");
        return ExitCode::SUCCESS;
    }
    let mut cases = CASES.to_vec();
    if std::env::var_os("LIVIUS_TEST_WHOLE").is_some() {
        cases.push(node::WHOLE);
    }
    run_in_one_world(&cases, World::start, World::stop)
}
