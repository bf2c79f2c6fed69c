//! `livius-metrics`: prints the reference of all metrics, which `cargo xtask codegen` writes to
//! docs/METRICS.md.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(livius_metrics::document().as_bytes())
}
