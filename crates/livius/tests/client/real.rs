//! The commands against the real server, without a Spark.

use serde_json::Value;
use tempfile::TempDir;

use crate::common::Server;
use crate::scripted::{Ended, ended, livius};

/// The real server, without a Spark.
struct Real {
    server: Server,
    _home: TempDir,
}

impl Real {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self {
            server: Server::start(home.path(), &["--spark-home", "/none"]),
            _home: home,
        }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        ended(
            livius(arguments)
                .env("LIVIUS_URL", &self.server.url)
                .output(),
        )
    }
}

#[test]
fn the_real_server_is_understood() {
    let server = Real::start();
    let empty = server.run(&["sessions"]);
    assert_eq!((empty.code, empty.stdout.as_str()), (Some(0), ""));
    assert_eq!(server.run(&["batches", "--json"]).stdout, "[]\n");

    let submitted = server.run(&[
        "submit",
        "/etc/hosts",
        "--name",
        "a \u{202e} name",
        "--conf",
        "a=b",
    ]);
    assert_eq!(submitted.code, Some(1), "{submitted:?}");
    assert!(
        submitted.stderr.contains("batch 0 failed"),
        "{}",
        submitted.stderr
    );
    let listed = server.run(&["batches"]);
    assert!(listed.stdout.contains("a \\u{202e} name"), "{listed:?}");
    let listed: Value = serde_json::from_str(&server.run(&["batches", "--json"]).stdout).unwrap();
    assert_eq!(listed[0]["state"], "dead");
    let log = server.run(&["logs", "--batch", "a \u{202e} name", "--follow"]);
    assert!(log.stdout.contains("livius: "), "{log:?}");

    let killed = server.run(&["kill", "--batch", "0"]);
    assert_eq!(
        (killed.code, killed.stdout.as_str()),
        (Some(0), "batch 0 is deleted\n")
    );
    for arguments in [
        &["kill", "--batch", "0"][..],
        &["logs", "7"],
        &["statements", "7"],
        &["shell", "--session", "7"],
    ] {
        let ended = server.run(arguments);
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.stderr.contains("not found"),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
    let refused = server.run(&["submit", "job.py", "--driver-memory", "lots"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
}
