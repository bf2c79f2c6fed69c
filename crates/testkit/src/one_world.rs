//! A test program whose cases share a world that is expensive to start.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};

/// A case with its name.
pub type CaseIn<W> = (&'static str, fn(&mut W));

/// Runs the cases that the command line chooses, one after the other. The first one starts the world.
/// `stop` ends it after the last one, and panics if something is left.
pub fn run_in_one_world<W: Send + 'static>(
    cases: &[&[CaseIn<W>]],
    start: fn() -> W,
    stop: fn(W),
) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let shared: Arc<Mutex<Option<W>>> = Arc::default();
    let trial = |&(name, case): &CaseIn<W>| {
        let shared = Arc::clone(&shared);
        Trial::test(name, move || {
            let run = || {
                let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
                case(world.get_or_insert_with(start));
            };
            // The message of the panic is on standard error already.
            catch_unwind(AssertUnwindSafe(run)).map_err(|_| Failed::from("it panicked"))
        })
    };
    let trials = cases.iter().flat_map(|cases| cases.iter());
    let conclusion = libtest_mimic::run(&arguments, trials.map(trial).collect());
    let world = shared.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(world) = world {
        stop(world);
    }
    conclusion.exit_code()
}
