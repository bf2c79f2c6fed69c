//! Notebooks with unchanged sparkmagic: its kernels, run by nbclient, and its magics in a plain
//! notebook.

use crate::clients::python;
use crate::server::Server;
use crate::{Case, Shared};

/// One kernel meets the oldest Spark.
pub const OLDER: &[Case] = &[("clients::sparkmagic_kernel_of_pyspark", |shared| {
    notebook(shared, "pyspark");
})];

/// The kernels differ in the language of the code that they send. `languages` tests how each Spark
/// runs it.
pub const ONCE: &[Case] = &[
    ("clients::sparkmagic_kernel_of_scala", |shared| {
        notebook(shared, "spark");
    }),
    ("clients::sparkmagic_kernel_of_r", |shared| {
        notebook(shared, "sparkr");
    }),
    ("clients::sparkmagic_magics", |shared| {
        notebook(shared, "magics");
    }),
];

/// This test has its own server, because the notebook deletes every session.
fn notebook(shared: &Shared, name: &str) {
    let server = Server::start(&shared.spark.home, &[]);
    let home = tempfile::tempdir().unwrap();
    let output = python("LIVIUS_TEST_SPARKMAGIC", home.path())
        .args(["-c", include_str!("clients/sparkmagic_notebooks.py")])
        .args([name, &server.url])
        // Warnings of pandas appear among the errors of a cell.
        .env("PYTHONWARNINGS", "ignore::UserWarning")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && out.contains("sparkmagic is content"),
        "{out}\n{err}"
    );
    for skipped in out.lines().filter(|line| line.starts_with("SKIPPED")) {
        println!("{skipped}");
    }
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}
