//! The scenarios of `compat/` that need no Spark, against the binary as a process.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use livius_compat::{Options, ServerKind, Suite, Target, run};
use serde_json::Value;

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on a free port, with an empty home and without a Spark.
fn server(home: &std::path::Path, arguments: &[&str]) -> (Killed, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_livius"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line.trim().strip_prefix("Livius is listening on ").unwrap();
    (Killed(child), url.to_owned())
}

fn app() -> (String, Value) {
    let app = Suite::directory().with_file_name("applications/app.py");
    ("app".to_owned(), Value::from(app.to_str().unwrap()))
}

#[test]
fn what_needs_no_spark_is_as_livys_clients_expect() {
    let home = tempfile::tempdir().unwrap();
    let (_server, url) = server(home.path(), &[]);
    // It is asked what it is, as a user's server is.
    let target = Target::new(&url, None, Vec::new()).unwrap();
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
    let (_server, url) = server(home.path(), &["--set", "server.csrf_protection=true"]);
    let target = Target::new(&url, None, Vec::new()).unwrap();
    let options = Options {
        only: Some("csrf".to_owned()),
        variables: [app(), ("csrf".to_owned(), Value::from("on"))].into(),
        ..Options::default()
    };
    let report = run(&Suite::own().unwrap(), &target, &options);
    assert!(report.is_clean(), "{}\n{}", report.details(), report.sum());
    assert!(report.outcomes.len() > 15, "{}", report.sum());
}
