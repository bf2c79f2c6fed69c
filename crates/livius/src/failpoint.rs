//! Lets a test have the server kill itself at a failpoint. A release has no failpoints, and ignores this.

use std::io::Write as _;

use anyhow::Context as _;
use livius_failpoint::Point;
use rustix::process::{Signal, getpid, kill_process};

use crate::config::ProcessEnvironment;

/// The variable with the failpoint. Its prefix is that of the test suite, so it sets no key.
const VARIABLE: &str = "LIVIUS_TEST_DIE_AT";

/// Arms the failpoint of the environment, if there is one.
pub fn arm(environment: &ProcessEnvironment) -> anyhow::Result<()> {
    match environment.get(VARIABLE) {
        Some(text) if cfg!(debug_assertions) => {
            livius_failpoint::arm(text, die).with_context(|| format!("cannot arm {VARIABLE}"))
        }
        _ => Ok(()),
    }
}

/// Dies as by `kill -9`: nothing is flushed, closed or told.
fn die(point: Point) {
    // The test reads it. Without a reader the process dies all the same.
    let _ = writeln!(
        std::io::stderr(),
        "killed at the failpoint {}",
        point.name()
    );
    loop {
        // The signal ends every thread. This one may run a little longer.
        let _ = kill_process(getpid(), Signal::KILL);
        std::thread::park();
    }
}
