//! A world without Spark: "Java" is a shell script, and each test scripts its drivers.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::{Departure, DriverId, DriverLocation, Exit, Kind, SystemClock};
use livius_launch::{
    DriverOrder, ExecutorLogLimits, Found, Jit, KubernetesLimits, Launcher, LocalConfig,
    LocalLauncher, Program, RunningDriver, SparkPages, Spawn, Start,
};
use livius_spark_home::testing::write_program;
use livius_spark_home::{Environment, Search};
use serde::{Deserialize, Serialize};

/// A time that no test needs.
pub const LONG: Duration = Duration::from_mins(1);

/// The limit of each log.
pub const LOG_LIMIT: u64 = 1 << 20;

/// The limits of executors' logs.
pub const EXECUTOR_LOGS: ExecutorLogLimits = ExecutorLogLimits {
    most: 2,
    bytes: 64 << 10,
};

/// A fake Java. It answers the launcher's questions about Java and Spark. As a driver it runs
/// `$BEHAVIOUR`.
pub const FAKE_JAVA: &str = include_str!("../../../spark-home/tests/fake-java.sh");

/// The name of every driver here.
const DRIVER: &str = "s-0-aa";

/// A process as the files in a driver's directory and its location name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: i32,
    pub start_ticks: u64,
}

impl Process {
    /// The location of a driver with this supervisor, as earlier versions stored it.
    pub fn location(&self) -> DriverLocation {
        DriverLocation::new(serde_json::to_string(self).unwrap())
    }
}

/// A driver that runs.
pub struct Driver(pub Arc<dyn RunningDriver>);

impl Driver {
    /// Its supervisor.
    pub fn record(&self) -> Process {
        serde_json::from_str(self.0.location().as_str()).unwrap()
    }

    pub async fn exited(&self) -> Exit {
        self.ended().await.exit
    }

    pub async fn ended(&self) -> Departure {
        in_time(self.0.ended()).await
    }

    pub async fn terminate(&self, grace: Duration) -> Exit {
        in_time(self.0.terminate(grace)).await.exit
    }
}

/// Why a driver is not found alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    Ended(Exit),
    NeverStarted,
    Unclear(String),
}

pub struct World {
    pub root: Utf8PathBuf,
    id: DriverId,
    _temp: Option<tempfile::TempDir>,
}

impl World {
    pub fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(temp.path().to_owned()).unwrap();
        fs::create_dir_all(root.join("spark/jars")).unwrap();
        for jar in [
            "spark-core_2.13-4.1.4.jar",
            "scala-library-2.13.17.jar",
            "scala-compiler-2.13.17.jar",
        ] {
            fs::write(root.join("spark/jars").join(jar), "").unwrap();
        }
        write_program(&root.join("java/bin/java"), FAKE_JAVA);
        let world = Self {
            root,
            id: DriverId::parse(DRIVER).unwrap(),
            _temp: Some(temp),
        };
        fs::create_dir_all(world.dir()).unwrap();
        world
    }

    /// A world that another process has made.
    pub fn existing(root: &Utf8Path) -> Self {
        Self {
            root: root.to_owned(),
            id: DriverId::parse(DRIVER).unwrap(),
            _temp: None,
        }
    }

    pub fn dir(&self) -> Utf8PathBuf {
        self.root.join("drivers").join(self.id.as_str())
    }

    /// The name of every driver here.
    pub fn id(&self) -> DriverId {
        self.id.clone()
    }

    pub fn launcher(&self, behaviour: &str) -> LocalLauncher {
        launcher_of(self.config(behaviour))
    }

    pub fn config(&self, behaviour: &str) -> LocalConfig {
        LocalConfig {
            search: self.search(&[
                ("PATH", "/usr/bin:/bin"),
                ("BEHAVIOUR", behaviour),
                ("LIVIUS_SECRET", "x"),
            ]),
            drivers: self.root.join("drivers"),
            data_dir: self.root.join("data"),
            supervisor: vec![this_program(), "supervise".to_owned()],
            log_limit: LOG_LIMIT,
            executor_logs: EXECUTOR_LOGS,
            disk_reserve: 0,
            jit: Jit::Late,
            class_archive: false,
            kubernetes: KubernetesLimits::default(),
            kubernetes_pages: SparkPages::default(),
        }
    }

    pub fn search(&self, variables: &[(&str, &str)]) -> Search {
        Search {
            environment: Environment::new(
                variables
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
            ),
            runtimes: self.root.join("runtimes"),
            spark_home: Some(self.root.join("spark")),
            java_home: Some(self.root.join("java")),
        }
    }

    pub fn order(&self) -> DriverOrder {
        DriverOrder {
            id: self.id(),
            conf: BTreeMap::from([(
                "spark.driver.extraJavaOptions".to_owned(),
                "-Dpassword=hunter2".to_owned(),
            )]),
            proxy_user: None,
            token: "topsecret".into(),
            servers: vec!["ws://127.0.0.1:1/api/v1/agent".to_owned()],
            program: Program::Agent {
                kind: Kind::Spark,
                start: Start::Session,
                link_grace: LONG,
                cancel_grace: LONG,
                sql_max_rows: 10,
            },
        }
    }

    /// An order for an application. It behaves like a driver.
    pub fn application(&self) -> DriverOrder {
        DriverOrder {
            program: Program::Application {
                file: "/jobs/pi.jar".to_owned(),
                class_name: Some("livius.test.Application".to_owned()),
                args: Vec::new(),
            },
            ..self.order()
        }
    }

    pub async fn launch(&self, behaviour: &str) -> Driver {
        let launched = self.launcher(behaviour).launch(self.order()).await;
        Driver(launched.unwrap())
    }

    /// Looks for the driver as a starting server does.
    pub async fn find(&self, at: Option<&Process>) -> Result<Driver, Gone> {
        let at = at.map(Process::location);
        let launcher = self.launcher("");
        match in_time(launcher.find(&self.id(), at.as_ref())).await {
            Found::Alive(driver) => Ok(Driver(driver)),
            Found::Ended(departure) => Err(Gone::Ended(departure.exit)),
            Found::NeverStarted => Err(Gone::NeverStarted),
            Found::Unclear(why) => Err(Gone::Unclear(why)),
        }
    }

    /// Starts a driver and waits until it says `ready`.
    pub async fn ready(&self, behaviour: &str) -> Driver {
        let driver = self.launch(behaviour).await;
        wait_for("the driver to be ready", || self.stdout().contains("ready")).await;
        driver
    }

    pub fn stdout(&self) -> String {
        fs::read_to_string(self.dir().join("stdout.log")).unwrap_or_default()
    }

    /// Checks everything that must hold once a driver is gone.
    pub fn assert_clean(&self) {
        for name in [
            "launch.json",
            "spark.properties",
            "java.options",
            "order.json",
            "command.json",
        ] {
            assert!(!self.dir().join(name).exists(), "{name} is still there");
        }
        // They go in a thread of their own.
        let until = Instant::now() + LONG;
        while self.dir().join("work/tmp").exists() {
            assert!(Instant::now() < until, "temporary files are still there");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(self.dir().join("exit.json").exists());
        assert_eq!(self.survivors(), Vec::<String>::new());
    }

    /// Command lines of living processes that name this world. Each test's sleepers have it as an
    /// argument.
    pub fn survivors(&self) -> Vec<String> {
        let own = std::process::id().to_string();
        let pids = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let lines = pids
            .filter(|pid| pid.parse::<u32>().is_ok() && *pid != own)
            .filter_map(|pid| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
                let line = String::from_utf8_lossy(&line).replace('\0', " ");
                line.contains(self.root.as_str()).then_some(line)
            });
        lines.collect()
    }

    /// Shell code for a process that names this world. `sleep` takes no such argument.
    pub fn sleeper(&self) -> String {
        format!(
            "sh -c \"trap '' TERM HUP; while :; do sleep 1; done\" {}",
            self.root
        )
    }
}

/// A launcher with these settings.
#[expect(
    clippy::disallowed_methods,
    reason = "a launcher's task ends with the runtime of its test"
)]
pub fn launcher_of(config: LocalConfig) -> LocalLauncher {
    let spawn: Spawn = Arc::new(|task| drop(tokio::spawn(task)));
    LocalLauncher::new(config, Arc::new(SystemClock), spawn)
}

/// This program, which is its own supervisor.
pub fn this_program() -> String {
    let program = std::env::current_exe().unwrap();
    program.into_os_string().into_string().unwrap()
}

pub async fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < until, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future)
        .await
        .expect("it takes too long")
}

pub fn kill(pid: i32, signal: &str) {
    assert!(
        Command::new("kill")
            .args([signal, &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

pub fn supervisor_of(dir: &Utf8Path) -> Process {
    serde_json::from_slice(&fs::read(dir.join("supervisor.json")).unwrap()).unwrap()
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
