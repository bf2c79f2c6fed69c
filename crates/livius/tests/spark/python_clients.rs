//! Python clients that run jobs and send files: Livy's own, and livy-uploads, both unchanged.

use std::path::Path;

use crate::Case;
use crate::clients::python;
use crate::server::Server;

pub const CASES: &[Case] = &[("clients::livys_python_api", |shared| {
    livys_python_api(shared.server(), tempfile::tempdir().unwrap().path());
})];

/// The server alone handles the uploads of this client.
pub const ONCE: &[Case] = &[("clients::livy_uploads", |shared| {
    content(
        shared.server(),
        tempfile::tempdir().unwrap().path(),
        include_str!("clients/livy_uploads_session.py"),
        &["a session of uploads"],
        "livy-uploads is content",
    );
})];

/// Jobs, uploads and files in a session of their own. Drivers see the directory.
pub fn livys_python_api(server: &Server, directory: &Path) {
    content(
        server,
        directory,
        include_str!("clients/python_jobs.py"),
        &[],
        "the protocol of Livy's Python client is content",
    );
}

/// Runs a script with the server's address, these arguments and a directory for its files.
fn content(server: &Server, directory: &Path, script: &str, words: &[&str], last: &str) {
    let output = python("LIVIUS_TEST_PYTHON", directory)
        .args(["-c", script, &server.url])
        .args(words)
        .arg(directory)
        .output()
        .unwrap();
    let [out, err] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(
        output.status.success() && out.contains(last),
        "{out}\n{err}"
    );
}
