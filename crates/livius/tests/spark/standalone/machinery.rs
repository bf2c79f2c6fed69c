//! Starts a master and workers as an administrator does.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use crate::client::{PATIENCE, environment, eventually};
use crate::server::{CHEAP_JVM, Server};

/// A cluster on this machine. Dropping it ends all its processes.
pub struct Cluster {
    spark_home: String,
    folder: TempDir,
    _master: Daemon,
    /// The address, `spark://…`.
    pub url: String,
    workers: RefCell<Vec<Daemon>>,
}

impl Cluster {
    /// A master, and one worker that has registered.
    pub fn start(spark_home: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("master.log");
        let words = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"];
        let master = Daemon::start(spark_home, "master.Master", &words, &log);
        let url = eventually("the master listens", PATIENCE, || {
            let log = std::fs::read_to_string(&log).unwrap();
            let (_, rest) = log.split_once("Starting Spark master at ")?;
            rest.lines()
                .next()
                .filter(|_| log.contains("New state: ALIVE"))
                .map(str::to_owned)
        });
        let cluster = Self {
            spark_home: spark_home.to_owned(),
            folder,
            _master: master,
            url,
            workers: RefCell::default(),
        };
        cluster.add_worker();
        cluster
    }

    /// A server whose sessions and batches run on this cluster.
    pub fn serve(&self) -> Server {
        let options = CHEAP_JVM.join(" ");
        let conf = ["driver", "executor"]
            .map(|role| format!("spark.{role}.defaultJavaOptions={options}"))
            .join(";");
        let conf = format!("spark.conf={conf}");
        Server::start(&self.spark_home, &["--master", &self.url, "--set", &conf])
    }

    /// Adds a worker with room for a driver and one or two executors.
    pub fn add_worker(&self) {
        let number = self.workers.borrow().len();
        let log = self.folder.path().join(format!("worker{number}.log"));
        let work = self.work();
        let words = [
            "--host",
            "127.0.0.1",
            "--webui-port",
            "0",
            "--cores",
            "3",
            "--memory",
            "3g",
            "--work-dir",
            work.to_str().unwrap(),
            &self.url,
        ];
        let worker = Daemon::start(&self.spark_home, "worker.Worker", &words, &log);
        eventually("the worker registers", PATIENCE, || {
            let log = std::fs::read_to_string(&log).unwrap();
            log.contains("Successfully registered with master")
                .then_some(())
        });
        self.workers.borrow_mut().push(worker);
    }

    /// The directory in which the workers run applications.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Kills the last worker with SIGKILL.
    pub fn kill_worker(&self) {
        let worker = self.workers.borrow_mut().pop().unwrap();
        kill_process(worker.pid(), Signal::KILL).unwrap();
    }
}

/// A process of the cluster.
struct Daemon(Child);

impl Daemon {
    fn start(spark_home: &str, class: &str, words: &[&str], log: &Path) -> Self {
        let log = File::create(log).unwrap();
        let mut command = Command::new(format!("{spark_home}/bin/spark-class"));
        command
            .arg(format!("org.apache.spark.deploy.{class}"))
            .args(words)
            .env("SPARK_HOME", spark_home)
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .env("SPARK_DAEMON_MEMORY", "256m")
            .env("SPARK_DAEMON_JAVA_OPTS", CHEAP_JVM.join(" "))
            .envs(environment("LIVIUS_TEST_PYTHON").map(|python| ("PYSPARK_PYTHON", python)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        Self(command.spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Executors and drivers are in the worker's process group. The call fails only if the group
        // is empty.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// The processes whose command line contains all these words.
pub fn processes_with(words: &[&str]) -> Vec<Pid> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if words.iter().all(|word| line.contains(word)) {
            found.extend(Pid::from_raw(pid));
        }
    }
    found
}
