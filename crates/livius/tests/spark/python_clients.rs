//! Python clients that run jobs and send files: Livy's own, and livy-uploads, both unchanged.

use crate::clients::python;
use crate::{Case, Shared};

pub const CASES: &[Case] = &[("clients::livys_python_api", |shared| {
    content(
        shared,
        include_str!("clients/python_jobs.py"),
        &[],
        "the protocol of Livy's Python client is content",
    );
})];

/// The server alone handles the uploads of this client.
pub const ONCE: &[Case] = &[("clients::livy_uploads", |shared| {
    content(
        shared,
        include_str!("clients/livy_uploads_session.py"),
        &["a session of uploads"],
        "livy-uploads is content",
    );
})];

/// Runs a script with the server's address, these arguments and its own directory.
fn content(shared: &Shared, script: &str, words: &[&str], last: &str) {
    let (server, home) = (shared.server(), tempfile::tempdir().unwrap());
    let output = python("LIVIUS_TEST_PYTHON", home.path())
        .args(["-c", script, &server.url])
        .args(words)
        .arg(home.path())
        .output()
        .unwrap();
    let [out, err] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(
        output.status.success() && out.contains(last),
        "{out}\n{err}"
    );
}
