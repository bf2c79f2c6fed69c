//! One machine over all rounds: the server's data, a Spark without code, and a fake Java.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use livius_spark_home::testing::write_program;
use rustix::process::{Pid, Signal, kill_process};

use crate::chance::Chance;
use crate::common::{Killed, livius};
use crate::data::Data;
use crate::proxy::Proxy;
use crate::{driver, ledger};

const FAKE_JAVA: &str = include_str!("../../../spark-home/tests/fake-java.sh");

/// A driver that no row names.
const STRAY: &str = "b-2000000000-aabbccddeeff";

/// How long an end in good order may take.
const SHUTDOWN: Duration = Duration::from_mins(1);

pub struct Place {
    /// Everything is below this directory. What runs there ends with it.
    data: Data,
    port: u16,
    network: Arc<Proxy>,
}

impl Place {
    /// The ended sessions that the server keeps.
    pub const ENDED_SESSIONS: usize = 3;

    /// Makes the place. The seed chooses the faults of the network.
    pub fn make(seed: u64) -> Self {
        let data = Data::make();
        let root = data.path();
        for jar in [
            "spark-core_2.13-4.1.4.jar",
            "scala-library-2.13.17.jar",
            "scala-compiler-2.13.17.jar",
        ] {
            write(&root.join("spark/jars").join(jar), "");
        }
        write(&root.join("jobs/app.jar"), "");
        let java = root.join("java/bin/java");
        write_program(Utf8Path::from_path(&java).unwrap(), FAKE_JAVA);
        let port = free_port(&mut Chance::new(seed));
        Self {
            data,
            port,
            network: Proxy::start(port, seed),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn application(&self) -> PathBuf {
        self.data.path().join("jobs/app.jar")
    }

    pub fn ledger(&self) -> PathBuf {
        self.data.path().join("ledger.txt")
    }

    /// The network between agents and the server.
    pub fn network(&self) -> &Proxy {
        &self.network
    }

    /// The processes of drivers.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let mut processes = self.data.processes();
        processes.retain(|(_, line)| !line.contains(" serve "));
        processes
    }

    /// The directory of all drivers.
    fn drivers(&self) -> PathBuf {
        self.data.path().join("data/drivers")
    }

    pub fn driver_directories(&self) -> Vec<String> {
        let entries = fs::read_dir(self.drivers()).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Makes a driver that no row names: a directory, and a process with its mark.
    pub fn leave_stray(&self) {
        let dir = self.drivers().join(STRAY);
        write(&dir.join("work/part"), "x");
        let started = Command::new("sh")
            .args(["-c", "sleep 600 & exit 0"])
            .env("LIVIUS_DRIVER_DIR", &dir)
            .current_dir(dir.join("work"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(started.unwrap().success());
    }

    /// Starts a server, and does not wait until it serves. It is killed when it is dropped.
    pub fn start(&self) -> Killed {
        self.start_with(None)
    }

    /// The same for a server that kills itself at a failpoint.
    pub fn start_to_die(&self, at: &str) -> Killed {
        self.start_with(Some(at))
    }

    fn start_with(&self, failpoint: Option<&str>) -> Killed {
        let root = self.data.path();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let log = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.log());
        let mut command = livius(
            root,
            &["serve", "--listen", &format!("127.0.0.1:{}", self.port)],
        );
        command
            .args(["--data-dir", &text(&root.join("data"))])
            .args(["--spark-home", &text(&root.join("spark"))])
            .args(["--java-home", &text(&root.join("java"))])
            .env("BEHAVIOUR", behaviour())
            .env(ledger::VARIABLE, self.ledger())
            .env("LIVIUS_SERVER_AGENT_URL", self.agent_url())
            .env(
                "LIVIUS_SESSIONS_MAX_ENDED",
                Self::ENDED_SESSIONS.to_string(),
            )
            .envs(failpoint.map(|at| ("LIVIUS_TEST_DIE_AT", at)))
            .current_dir(root)
            .stdout(Stdio::null())
            .stderr(log.unwrap());
        Killed(command.spawn().unwrap())
    }

    fn agent_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.network.port())
    }

    /// The log of all servers.
    pub fn log(&self) -> PathBuf {
        self.data.path().join("server.log")
    }

    /// The end of that log.
    pub fn last_lines(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Ends a last server in good order, and fails if a process is left.
    pub fn shut_down(self: &Arc<Self>) {
        let mut server = self.start();
        crate::client::await_server(self);
        let child = &mut server.0;
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let until = Instant::now() + SHUTDOWN;
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "the server does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let left = self.data.processes();
        assert!(left.is_empty(), "processes were left behind: {left:#?}");
    }
}

/// A port that no connection gets by chance as its own one. A client that connects to such a port while
/// no server listens may be connected to itself, and then the server cannot have it.
fn free_port(chance: &mut Chance) -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let first: u64 = range.split_whitespace().next().unwrap().parse().unwrap();
    let lowest = 2_000;
    loop {
        let port = u16::try_from(lowest + chance.below(first - lowest)).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The program that the fake Java becomes as a driver.
fn behaviour() -> String {
    let own = std::env::current_exe().unwrap();
    format!("exec '{}' {} \"$@\"", own.display(), driver::WORD)
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
