//! The binary as a process, for every test file that starts it.

#![allow(
    dead_code,
    reason = "each test file compiles this module and uses a part of it"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A command without the environment of the test, with this home directory.
pub fn livius(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_livius"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        // No test that is about something else starts drivers that it did not ask for.
        .env("LIVIUS_SESSIONS_POOL", "off")
        .env("PATH", "/usr/bin:/bin");
    command
}

/// A process that is killed when the test ends, also by a panic.
#[derive(Debug)]
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // The process may have ended before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on a free port.
#[derive(Debug)]
pub struct Server {
    pub process: Killed,
    pub url: String,
}

impl Server {
    /// Starts a server that has no Spark.
    pub fn start(home: &Path, arguments: &[&str]) -> Self {
        let mut child = livius(home, &["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(home)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line
            .trim()
            .strip_prefix("Livius is listening on ")
            .unwrap_or_else(|| panic!("{line:?}"))
            .to_owned();
        Self {
            process: Killed(child),
            url,
        }
    }
}
