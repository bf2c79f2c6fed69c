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
mod outage;
mod secrets;
mod world;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use livius_testkit::KubernetesCluster;

use crate::world::World;

type Case = (&'static str, fn(&mut World));

const CASES: [&[Case]; 5] = [
    access::CASES,
    endings::CASES,
    logs::CASES,
    secrets::CASES,
    outage::CASES,
];

/// The world of all cases. The first one that runs starts it.
type Shared = Arc<Mutex<Option<World>>>;

fn trial(shared: &Shared, (name, case): &Case) -> Trial {
    let (shared, case) = (Arc::clone(shared), *case);
    Trial::test(*name, move || {
        let run = || {
            let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
            case(world.get_or_insert_with(World::start));
        };
        // The message of the panic is on standard error already.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
            .map_err(|_| Failed::from("it panicked"))
    })
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    if let Err(reason) = KubernetesCluster::binary() {
        println!("SKIPPED: no tests with a real Kubernetes: {reason}");
        return ExitCode::SUCCESS;
    }
    let shared = Shared::default();
    let trials = CASES
        .iter()
        .flat_map(|cases| cases.iter())
        .map(|case| trial(&shared, case))
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let world = shared.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(world) = world {
        // It fails if a process is left.
        world.stop();
    }
    conclusion.exit_code()
}
