//! Measures the time of each test.

use std::io::Write as _;
use std::time::Instant;

use crate::client::environment;

/// Runs a test, and adds a line with its time and name to the file that `LIVIUS_TEST_TIMES` names.
/// `cargo xtask test` sets the variable, and prints the slowest tests at its end.
pub fn measure<T>(name: &str, test: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = test();
    if let Some(path) = environment("LIVIUS_TEST_TIMES") {
        let mut options = std::fs::File::options();
        let mut file = options.create(true).append(true).open(path).unwrap();
        writeln!(file, "{:.1} {name}", begun.elapsed().as_secs_f64()).unwrap();
    }
    result
}
