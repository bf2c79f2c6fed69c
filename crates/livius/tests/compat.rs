//! Runs the scenarios of `compat/` that need no Spark against the binary as a process.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "common/server.rs"]
mod common;

use livius_compat::{Options, ServerKind, Suite, Target, run};
use serde_json::Value;

use common::Server;

fn app() -> (String, Value) {
    let app = Suite::directory().with_file_name("applications/app.py");
    ("app".to_owned(), Value::from(app.to_str().unwrap()))
}

#[test]
fn what_needs_no_spark_is_as_livys_clients_expect() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]);
    // Without a kind, the runner asks the server for it.
    let target = Target::new(&server.url, None, Vec::new()).unwrap();
    assert_eq!(target.kind, ServerKind::Livius);
    let options = Options {
        tag: Some("no-spark".to_owned()),
        variables: [app()].into(),
        ..Options::default()
    };
    let report = run(&Suite::own().unwrap(), &target, &options);
    assert!(report.is_clean(), "{}\n{}", report.details(), report.sum());
    assert!(report.outcomes.len() > 100, "{}", report.sum());
}

#[test]
fn protection_against_forged_requests_is_livys() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &["--set", "server.csrf_protection=true"]);
    let target = Target::new(&server.url, None, Vec::new()).unwrap();
    let options = Options {
        only: Some("csrf".to_owned()),
        variables: [app(), ("csrf".to_owned(), Value::from("on"))].into(),
        ..Options::default()
    };
    let report = run(&Suite::own().unwrap(), &target, &options);
    assert!(report.is_clean(), "{}\n{}", report.details(), report.sum());
    assert!(report.outcomes.len() > 15, "{}", report.sum());
}
