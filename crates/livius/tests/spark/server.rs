//! Starts the server as a user does.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use crate::client::{PATIENCE, Session, environment, eventually, get, post};
use crate::common::Killed;
pub use crate::data::Data;

/// JVM options that halve the processor time of a start: no optimising compiler, one thread for
/// garbage. No test depends on them. `livius setup`, which prepares the tests, runs a job with the
/// defaults.
pub const CHEAP_JVM: [&str; 2] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/// A running `livius serve` with its own data directory.
pub struct Server {
    child: Mutex<Killed>,
    pub url: String,
    pub data: Data,
    spark_home: String,
    extra: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Server {
    /// Starts one on a free port.
    pub fn start(spark_home: &str, extra: &[&str]) -> Self {
        Self::start_with(spark_home, extra, Vec::new())
    }

    /// Starts one that has more variables in its environment.
    pub fn start_with(spark_home: &str, extra: &[&str], variables: Vec<(String, String)>) -> Self {
        let data = Data::make();
        share_runtimes(spark_home, &data);
        let extra: Vec<String> = extra.iter().map(|text| (*text).to_owned()).collect();
        let (child, url) = spawn(spark_home, &data, "127.0.0.1:0", &extra, &variables);
        Self {
            child: Mutex::new(Killed(child)),
            url,
            data,
            spark_home: spark_home.to_owned(),
            extra,
            variables,
        }
    }

    /// Kills the server with SIGKILL, and starts another one on the same data and port.
    pub fn crash_and_restart(self) -> Self {
        self.kill();
        self.restart()
    }

    /// Kills the server with SIGKILL.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.0.kill().unwrap();
        child.0.wait().unwrap();
    }

    /// Starts another server on the data and the port of this one, which has ended.
    pub fn restart(self) -> Self {
        let address = self.url.trim_start_matches("http://").to_owned();
        let (child, url) = spawn(
            &self.spark_home,
            &self.data,
            &address,
            &self.extra,
            &self.variables,
        );
        Self {
            child: Mutex::new(Killed(child)),
            url,
            ..self
        }
    }

    /// Creates a session.
    pub fn create(&self, request: &Value) -> Session {
        let (status, answer) = post(&format!("{}/sessions", self.url), request);
        assert_eq!(status, 201, "{answer}");
        Session {
            url: format!("{}/sessions/{}", self.url, answer["id"]),
            id: answer["id"].as_i64().unwrap(),
        }
    }

    /// The number of sessions in the list.
    pub fn total(&self) -> i64 {
        get(&format!("{}/sessions", self.url)).1["total"]
            .as_i64()
            .unwrap()
    }

    /// Asks the server to stop, waits for its end, and returns the processes that are left.
    pub fn stop(&self) -> Vec<String> {
        self.signal();
        let status = self.await_exit();
        assert!(status.success(), "the server ended with {status}");
        self.processes()
    }

    /// Asks the server to stop.
    pub fn signal(&self) {
        let pid = rustix::process::Pid::from_child(&self.child.lock().unwrap().0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits until the server has ended.
    pub fn await_exit(&self) -> ExitStatus {
        let mut child = self.child.lock().unwrap();
        eventually("the server stops", Duration::from_mins(1), || {
            child.0.try_wait().unwrap()
        })
    }

    /// Waits for the directory of the driver whose name has this prefix.
    pub fn driver_dir(&self, prefix: &str) -> PathBuf {
        eventually("the driver has a directory", PATIENCE, || {
            let drivers = std::fs::read_dir(self.data.path().join("drivers")).ok()?;
            drivers
                .flatten()
                .find(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(|entry| entry.path())
        })
    }

    /// The processes of the drivers, and what drivers have started.
    pub fn processes(&self) -> Vec<String> {
        let found = self.data.processes().into_iter();
        found
            .map(|(pid, line)| format!("{pid}: {}", line.trim_end()))
            .collect()
    }
}

/// A managed Spark has its compiled agent next to it, so servers that share it need not compile it
/// again.
pub fn share_runtimes(spark_home: &str, data: &Data) {
    let runtimes = std::path::Path::new(spark_home).ancestors().nth(2);
    if let Some(runtimes) = runtimes.filter(|path| path.ends_with("runtimes")) {
        std::os::unix::fs::symlink(runtimes, data.path().join("runtimes")).unwrap();
    }
}

/// The suite's own Python has the libraries that the tests import: matplotlib, pandas. Under its
/// other name, it runs the kind `pyspark3`.
fn pythons() -> Vec<(&'static str, String)> {
    let Some(python) = environment("LIVIUS_TEST_PYTHON") else {
        return Vec::new();
    };
    let other = Path::new(&python)
        .with_file_name("python")
        .to_string_lossy()
        .into_owned();
    vec![("PYSPARK_PYTHON", python), ("PYSPARK3_PYTHON", other)]
}

/// Gives a command that starts drivers the environment of the tests.
pub fn as_a_user(command: &mut Command) {
    command
        .envs(pythons())
        .env("SPARK_SUBMIT_OPTS", CHEAP_JVM.join(" "))
        // No test that is about something else starts drivers that it did not ask for.
        .env("LIVIUS_SESSIONS_POOL", "off")
        // As in a container without a locale. Arguments and names must still be UTF-8.
        .env_remove("LANG")
        .env_remove("LC_ALL")
        .env_remove("LC_CTYPE");
}

fn spawn(
    spark_home: &str,
    data: &Data,
    listen: &str,
    extra: &[String],
    variables: &[(String, String)],
) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_livius"));
    as_a_user(&mut command);
    let mut child = command
        .args([
            "serve",
            "--listen",
            listen,
            "--spark-home",
            spark_home,
            "--data-dir",
        ])
        .arg(data.path())
        .args(extra)
        .envs(variables.iter().cloned())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(
            std::fs::File::options()
                .create(true)
                .append(true)
                .open(data.path().join("server.log"))
                .unwrap(),
        ))
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| {
            line.split_whitespace()
                .find(|word| word.starts_with("http://"))
                .map(str::to_owned)
        })
        .unwrap_or_else(|| {
            panic!(
                "no address: {}",
                std::fs::read_to_string(data.path().join("server.log")).unwrap()
            )
        });
    // Drain standard output, so that the server never blocks on it.
    std::thread::spawn(move || lines.for_each(drop));
    (child, url.trim_end_matches('/').to_owned())
}
