//! One machine over all rounds: the server's data, a Spark without code, and a fake Java.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use livius_spark_home::testing::write_program;
use rustix::process::{Pid, Signal, kill_process};

use crate::common::{Killed, livius};
use crate::data::Data;
use crate::{driver, ledger};

const FAKE_JAVA: &str = include_str!("../../../spark-home/tests/fake-java.sh");

/// How long an end in good order may take.
const SHUTDOWN: Duration = Duration::from_mins(1);

pub struct Place {
    /// Everything is below this directory. What runs there ends with it.
    data: Data,
    port: u16,
}

impl Place {
    pub fn make() -> Self {
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { data, port }
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

    /// Starts a server, and does not wait until it serves. It is killed when it is dropped.
    pub fn start(&self) -> Killed {
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
            .current_dir(root)
            .stdout(Stdio::null())
            .stderr(log.unwrap());
        Killed(command.spawn().unwrap())
    }

    /// The log of all servers.
    pub fn log(&self) -> PathBuf {
        self.data.path().join("server.log")
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

/// What the fake Java does as a driver: it becomes this program.
fn behaviour() -> String {
    let own = std::env::current_exe().unwrap();
    format!("exec '{}' {} \"$@\"", own.display(), driver::WORD)
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
