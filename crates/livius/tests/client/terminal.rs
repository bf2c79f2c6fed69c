//! `livius shell` on a terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::Killed;
use crate::scripted::{PATIENCE, Scripted, livius, ok, session, statement, text};

/// A shell on a terminal.
struct Typist {
    child: Killed,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    /// The number of bytes on the screen that earlier waits have consumed.
    seen: usize,
}

impl Typist {
    fn start(server: &Scripted, home: &TempDir, arguments: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave: OwnedFd = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap()
            .into();
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        let child = livius(arguments)
            .env("HOME", home.path())
            .env("TERM", "xterm")
            .env("LIVIUS_URL", &server.url)
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .unwrap();
        let keyboard = File::from(master);
        let mut output = keyboard.try_clone().unwrap();
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                let text = String::from_utf8_lossy(&piece[..length]);
                shown.lock().unwrap().push_str(&text);
            }
        });
        Self {
            child: Killed(child),
            keyboard,
            screen,
            seen: 0,
        }
    }

    fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen shows this text after the text of the last wait.
    fn sees(&mut self, text: &str) {
        let begun = Instant::now();
        loop {
            let screen = self.screen.lock().unwrap().clone();
            if let Some(at) = screen[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "no {text:?} in {screen:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn exit_code(mut self) -> Option<i32> {
        self.child.0.wait().unwrap().code()
    }
}

fn server() -> Scripted {
    Scripted::start(&[
        ("POST /sessions", &[session("idle")]),
        ("GET /sessions/5", &[session("idle")]),
        (
            "POST /sessions/5/completion",
            &[ok(&json!({"candidates": ["parallelize"]}))],
        ),
        (
            "POST /sessions/5/statements",
            &[
                statement(0, "available", &text("first output")),
                statement(1, "available", &text("second output")),
                statement(2, "running", &Value::Null),
            ],
        ),
        (
            "GET /sessions/5/statements/2",
            &[statement(2, "running", &Value::Null)],
        ),
        (
            "POST /sessions/5/statements/2/cancel",
            &[ok(&json!({"msg": "canceled"}))],
        ),
        ("DELETE /sessions/5", &[ok(&json!({"msg": "deleted"}))]),
    ])
}

fn codes(server: &Scripted) -> Vec<Value> {
    let seen = server.seen.lock().unwrap();
    let posts = seen
        .iter()
        .filter(|request| request.line == "POST /sessions/5/statements");
    posts.map(|request| request.body["code"].clone()).collect()
}

#[test]
fn lines_are_edited_completed_remembered_and_cancelled() {
    let (server, home) = (server(), tempfile::tempdir().unwrap());
    let mut typist = Typist::start(&server, &home, &["shell"]);
    typist.sees("Ctrl-D ends");
    typist.sees("pyspark> ");
    typist.types("sc.par\t");
    typist.sees("sc.parallelize");
    typist.types("\r");
    typist.sees("first output");
    assert_eq!(
        server.request("POST /sessions/5/completion").body,
        json!({"code": "sc.par", "kind": "pyspark", "cursor": 6})
    );

    typist.sees("pyspark> ");
    typist.types("def f():\r\t1\r\r");
    typist.sees("second output");
    typist.sees("pyspark> ");
    typist.types("never mind\x03");
    typist.sees("pyspark> ");

    typist.types("loop()\r");
    server.await_request("GET /sessions/5/statements/2");
    // The terminal of the test has no foreground process group that could receive the signal.
    let shell = Pid::from_child(&typist.child.0);
    kill_process(shell, Signal::INT).unwrap();
    typist.sees("cancelling statement 2");
    kill_process(shell, Signal::INT).unwrap();
    typist.sees("pyspark> ");

    typist.types("\x04");
    assert_eq!(typist.exit_code(), Some(0));
    assert_eq!(
        codes(&server),
        ["sc.parallelize", "def f():\n    1", "loop()"]
    );
    assert_eq!(server.lines().last().unwrap(), "DELETE /sessions/5");

    let history = home.path().join(".local/state/livius/history");
    let mode = std::fs::metadata(&history).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut typist = Typist::start(&server, &home, &["shell"]);
    typist.sees("pyspark> ");
    typist.types("\x1b[A");
    typist.sees("loop()");
    kill_process(Pid::from_child(&typist.child.0), Signal::TERM).unwrap();
    assert_eq!(typist.exit_code(), Some(143));
}
