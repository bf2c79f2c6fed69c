//! Measures servers that speak the Livy API, over HTTP only, so that the same program runs against
//! Apache Livy and against Livius.
//!
//! Every figure contains the machine's noise. Compare only figures of one run on one machine.

pub mod arguments;
pub mod bare;
pub mod batches;
pub mod client;
pub mod compare;
mod machine;
mod measures;
pub mod processes;
pub mod report;
pub mod samples;
pub mod target;

/// Prints a line of the result.
#[expect(clippy::print_stdout, reason = "the figures are the program's result")]
pub fn tell(line: &str) {
    println!("{line}");
}

/// Says what the program is doing.
#[expect(clippy::print_stderr, reason = "a run takes minutes")]
pub fn note(line: &str) {
    eprintln!("{line}");
}
