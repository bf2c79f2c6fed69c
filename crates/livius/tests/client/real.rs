//! The real server, without a Spark.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::scripted::{Ended, ended, livius};

/// The real server, with nothing to run sessions with.
struct Real {
    child: Child,
    url: String,
    _home: TempDir,
}

impl Real {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = livius(&["serve", "--listen", "127.0.0.1:0", "--spark-home", "/none"]);
        let mut child = command
            .env("HOME", home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self {
            child,
            url,
            _home: home,
        }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        ended(livius(arguments).env("LIVIUS_URL", &self.url).output())
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
