//! Drivers and their supervisors as real processes, without Spark.
//!
//! This program is its own supervisor (`supervise <dir>`) and its own server: one that is killed
//! (`serve <root> <behaviour>`), and one without free file descriptors (`find-blindly <root>`).

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "these are tests, if without Rust's own harness"
)]

/// Lists tests under their own names.
macro_rules! tests {
    ($($test:ident),* $(,)?) => {
        &[$((stringify!($test), $test)),*]
    };
}

mod adopting;
mod api_server;
mod applications;
mod blindness;
mod conforming;
mod container_logs;
mod endings;
mod executors_in_pods;
mod executors_on_yarn;
mod launching;
mod objects_of_pods;
mod on_kubernetes;
mod on_yarn;
mod orphans;
mod resource_manager;
mod world;

use std::process::ExitCode;

use camino::Utf8Path;
use libtest_mimic::{Arguments, Trial};
use livius_domain::SystemClock;

/// A test with its name.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "supervise", dir] => match livius_launch::supervise(Utf8Path::new(dir), &SystemClock) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        [_, "find-blindly", root] => blindness::find(Utf8Path::new(root)),
        [_, "serve", root, behaviour] => launching::serve(Utf8Path::new(root), behaviour),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn trials() -> Vec<Trial> {
    let tests = [
        endings::TESTS,
        launching::TESTS,
        adopting::TESTS,
        applications::TESTS,
        blindness::TESTS,
        on_kubernetes::TESTS,
        objects_of_pods::TESTS,
        on_yarn::TESTS,
        orphans::TESTS,
        container_logs::TESTS,
        executors_in_pods::TESTS,
        executors_on_yarn::TESTS,
    ]
    .concat();
    let trial = |(name, test): Test| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let stamped = [
        ("local", conforming::local()),
        ("standalone", conforming::standalone()),
        ("yarn", conforming::yarn()),
    ];
    let stamped = stamped.into_iter().flat_map(|(backend, cases)| {
        cases.into_iter().map(move |(name, case)| {
            Trial::test(format!("{backend}::{name}"), move || {
                case();
                Ok(())
            })
        })
    });
    tests.into_iter().map(trial).chain(stamped).collect()
}
