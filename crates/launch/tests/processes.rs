//! Drivers as real processes: how they end, and that nothing of them is left.
//!
//! The "Java" is a shell script, so that no Spark is needed; what it does as a driver is up to each test. This program is its own
//! supervisor (`supervise <dir>`) and, for the test of a server that is killed, its own server (`serve <root> <behaviour>`).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{DriverId, Exit, Kind, ProcessRecord, SystemClock};
use launch::{DriverOrder, DriverProcess, Environment, Launcher as _, LocalConfig, LocalLauncher, Search};
use libtest_mimic::{Arguments, Failed, Trial};

const LONG: Duration = Duration::from_mins(1);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "supervise", dir] => match launch::supervise(Utf8Path::new(dir), &SystemClock) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        [_, "serve", root, behaviour] => serve(Utf8Path::new(root), behaviour),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

/// A server that starts one driver and then waits to be killed.
fn serve(root: &Utf8Path, behaviour: &str) -> ExitCode {
    let world = World { root: root.to_owned(), _temp: None };
    run(async {
        world.launch(behaviour).await;
        fs::write(root.join("serving"), "").unwrap();
        std::future::pending::<()>().await;
    });
    ExitCode::FAILURE
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A Java that is none: it answers what the launcher asks of a Java and a Spark, and as a driver runs `$BEHAVIOUR`.
const FAKE_JAVA: &str = r#"#!/bin/sh
case "$*" in
  *-XshowSettings*) echo "  java.home = ${0%/bin/java}"; echo "  java.version = 17.0.1" ;;
  *scala.tools.nsc.Main*) : ;;
  *org.apache.spark.launcher.Main*) printf '%s\0' "$0" -cp /x -Xmx1g --a-flag org.apache.spark.deploy.SparkSubmit --version ;;
  *livius.agent.Main*) eval "$BEHAVIOUR" ;;
  *) exit 99 ;;
esac
"#;

struct World {
    root: Utf8PathBuf,
    _temp: Option<tempfile::TempDir>,
}

impl World {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(temp.path().to_owned()).unwrap();
        fs::create_dir_all(root.join("spark/jars")).unwrap();
        for jar in ["spark-core_2.13-4.1.4.jar", "scala-library-2.13.17.jar", "scala-compiler-2.13.17.jar"] {
            fs::write(root.join("spark/jars").join(jar), "").unwrap();
        }
        fs::create_dir_all(root.join("java/bin")).unwrap();
        fs::write(root.join("java/bin/java"), FAKE_JAVA).unwrap();
        fs::set_permissions(root.join("java/bin/java"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(root.join("driver")).unwrap();
        Self { root, _temp: Some(temp) }
    }

    fn dir(&self) -> Utf8PathBuf {
        self.root.join("driver")
    }

    fn launcher(&self, behaviour: &str) -> LocalLauncher {
        let variables = [("PATH", "/usr/bin:/bin"), ("BEHAVIOUR", behaviour), ("LIVIUS_SECRET", "x")];
        let search = Search {
            environment: Environment::new(variables.map(|(k, v)| (k.to_owned(), v.to_owned()))),
            runtimes: self.root.join("runtimes"),
            spark_home: Some(self.root.join("spark")),
            java_home: Some(self.root.join("java")),
        };
        let program = std::env::current_exe().unwrap().into_os_string().into_string().unwrap();
        LocalLauncher::new(LocalConfig { search, supervisor: vec![program, "supervise".to_owned()] }, Arc::new(SystemClock))
    }

    fn order(&self) -> DriverOrder {
        DriverOrder {
            id: DriverId::parse("s-0-aa").unwrap(),
            dir: self.dir(),
            kind: Kind::Spark,
            conf: BTreeMap::new(),
            proxy_user: None,
            token: "topsecret".into(),
            servers: vec!["ws://127.0.0.1:1/api/v1/agent".to_owned()],
            link_grace: LONG,
            sql_max_rows: 10,
        }
    }

    async fn launch(&self, behaviour: &str) -> Box<dyn DriverProcess> {
        self.launcher(behaviour).launch(self.order()).await.unwrap()
    }

    /// Starts a driver and waits until it says `ready`.
    async fn ready(&self, behaviour: &str) -> Box<dyn DriverProcess> {
        let driver = self.launch(behaviour).await;
        wait_for("the driver to be ready", || self.stdout().contains("ready")).await;
        driver
    }

    fn stdout(&self) -> String {
        fs::read_to_string(self.dir().join("stdout.log")).unwrap_or_default()
    }

    /// Checks all that must hold once a driver is gone.
    fn assert_clean(&self) {
        for name in ["launch.json", "spark.properties", "command.json"] {
            assert!(!self.dir().join(name).exists(), "{name} is still there");
        }
        assert!(self.dir().join("exit.json").exists());
        assert_eq!(self.survivors(), Vec::<String>::new());
    }

    /// Command lines of living processes that name this world: each test's sleepers do so in an argument.
    fn survivors(&self) -> Vec<String> {
        let own = std::process::id().to_string();
        let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let lines = pids.filter(|pid| pid.parse::<u32>().is_ok() && *pid != own).filter_map(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(self.root.as_str()).then_some(line)
        });
        lines.collect()
    }

    /// Shell code for a process of its own that names this world, as `sleep` takes no such argument.
    fn sleeper(&self) -> String {
        format!("sh -c \"trap '' TERM HUP; while :; do sleep 1; done\" {}", self.root)
    }
}

async fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < until, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("it takes too long")
}

fn kill(pid: i32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn ends_by_itself() {
    run(async {
        let world = World::new();
        let behaviour = "echo out; echo err >&2; echo $PWD $TMPDIR ${LIVIUS_SECRET-none}; ls -l $PWD/..; exit 3";
        let driver = world.launch(behaviour).await;
        let (one, two) = in_time(async { tokio::join!(driver.exited(), driver.exited()) }).await;
        assert_eq!((one, two), (Exit::Code(3), Exit::Code(3)));
        assert_eq!(in_time(driver.exited()).await, Exit::Code(3));
        assert_eq!(in_time(driver.terminate(LONG)).await, Exit::Code(3));
        let work = world.dir().join("work");
        assert!(world.stdout().contains(&format!("{work} {work}/tmp none")), "{}", world.stdout());
        for file in ["launch.json", "spark.properties"] {
            let private = |line: &str| line.starts_with("-rw-------") && line.ends_with(file);
            assert!(world.stdout().lines().any(private), "{}", world.stdout());
        }
        assert!(fs::read_to_string(world.dir().join("stderr.log")).unwrap().contains("err"));
        world.assert_clean();
    });
}

fn dies_of_a_signal() {
    run(async {
        let world = World::new();
        let driver = world.launch("kill -SEGV $$").await;
        assert_eq!(in_time(driver.exited()).await, Exit::Signal(11));
        world.assert_clean();
    });
}

fn obeys_sigterm_within_the_grace() {
    run(async {
        let world = World::new();
        let driver = world.ready("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done").await;
        assert_eq!(in_time(driver.terminate(Duration::from_hours(1))).await, Exit::Code(7));
        world.assert_clean();
    });
}

fn ignores_sigterm() {
    run(async {
        let world = World::new();
        let driver = world.ready(&format!("trap '' TERM; echo ready; {}", world.sleeper())).await;
        assert_eq!(in_time(driver.terminate(Duration::from_millis(200))).await, Exit::Signal(9));
        world.assert_clean();
    });
}

fn a_second_terminate_shortens_the_grace() {
    run(async {
        let world = World::new();
        let driver = world.ready("trap '' TERM; echo ready; while :; do sleep 0.05; done").await;
        let patient = driver.terminate(Duration::from_hours(1));
        let impatient = driver.terminate(Duration::from_millis(100));
        assert_eq!(in_time(async { tokio::join!(patient, impatient) }).await, (Exit::Signal(9), Exit::Signal(9)));
        world.assert_clean();
    });
}

fn daemons_cannot_escape() {
    run(async {
        let world = World::new();
        let daemon = format!("(env -i setsid {} </dev/null >/dev/null 2>&1 &)", world.sleeper());
        let driver = world.ready(&format!("{daemon}; {daemon}; echo ready; while :; do sleep 0.05; done")).await;
        wait_for("two daemons", || world.survivors().iter().filter(|line| line.starts_with("sh -c trap")).count() == 2).await;
        assert_eq!(in_time(driver.terminate(Duration::from_millis(200))).await, Exit::Signal(15));
        world.assert_clean();
    });
}

fn what_it_leaves_behind_is_ended() {
    run(async {
        let world = World::new();
        let sleeper = world.sleeper();
        let driver = world.launch(&format!("{sleeper} & setsid {sleeper} & sleep 0.2; exit 0")).await;
        assert_eq!(in_time(driver.exited()).await, Exit::Code(0));
        world.assert_clean();
    });
}

fn a_killed_supervisor() {
    run(async {
        let world = World::new();
        let sleeper = world.sleeper();
        let driver = world.ready(&format!("trap '' TERM; setsid {sleeper} & echo ready; {sleeper}")).await;
        kill(driver.record().pid, "-KILL");
        assert_eq!(in_time(driver.exited()).await, Exit::Unknown);
        world.assert_clean();
        let again = world.launcher("").adopt(&world.dir(), Some(&driver.record())).await;
        assert_eq!(again.err(), Some(Exit::Unknown));
    });
}

fn the_terminals_signals_do_not_reach_it() {
    run(async {
        let world = World::new();
        let driver = world.ready("echo ready; while :; do sleep 0.05; done").await;
        for signal in ["-INT", "-HUP"] {
            kill(driver.record().pid, signal);
        }
        let stat = fs::read_to_string(format!("/proc/{}/stat", driver.record().pid)).unwrap();
        let session = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(3).unwrap().to_owned();
        assert_eq!(session, driver.record().pid.to_string());
        assert!(tokio::time::timeout(Duration::from_millis(300), driver.exited()).await.is_err());
        in_time(driver.terminate(Duration::ZERO)).await;
        world.assert_clean();
    });
}

fn the_supervisor_is_small() {
    run(async {
        let world = World::new();
        let driver = world.ready("echo ready; while :; do sleep 0.05; done").await;
        let status = fs::read_to_string(format!("/proc/{}/smaps_rollup", driver.record().pid)).unwrap();
        let value = |name: &str| -> u32 {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let private = value("Private_Dirty:");
        in_time(driver.terminate(Duration::ZERO)).await;
        assert!(private < 2048, "{private} KiB of its own");
    });
}

fn a_program_that_cannot_be_started() {
    run(async {
        let world = World::new();
        let launcher = world.launcher("");
        launcher.prepare().await.unwrap();
        fs::set_permissions(world.root.join("java/bin/java"), fs::Permissions::from_mode(0o644)).unwrap();
        let Err(failure) = launcher.launch(world.order()).await else { panic!("it started") };
        assert!(failure.message.contains("start the driver's program: Permission denied"), "{}", failure.message);
        assert_eq!(world.survivors(), Vec::<String>::new());
        assert!(!world.dir().join("launch.json").exists());
    });
}

fn a_supervisor_that_is_none() {
    run(async {
        for program in ["/no/such/program", "/bin/true"] {
            let world = World::new();
            let launcher = world.launcher("");
            let search = Search {
                environment: Environment::new([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
                runtimes: world.root.join("runtimes"),
                spark_home: Some(world.root.join("spark")),
                java_home: Some(world.root.join("java")),
            };
            launcher.prepare().await.unwrap();
            let config = LocalConfig { search, supervisor: vec![program.to_owned()] };
            let launcher = LocalLauncher::new(config, Arc::new(SystemClock));
            let failure = in_time(launcher.launch(world.order())).await.err().unwrap();
            assert_eq!(failure.code, domain::FailureCode::LaunchFailed);
        }
    });
}

fn a_driver_outlives_a_killed_server() {
    run(async {
        for record_was_stored in [true, false] {
            let world = World::new();
            let behaviour = format!("trap 'exit 5' TERM; setsid {} & echo ready; while :; do sleep 0.05; done", world.sleeper());
            let program = std::env::current_exe().unwrap();
            let mut server = Command::new(program)
                .args(["serve", world.root.as_str(), &behaviour])
                .stdin(Stdio::null())
                .spawn()
                .unwrap();
            wait_for("the server", || world.root.join("serving").exists() && world.stdout().contains("ready")).await;
            server.kill().unwrap();
            server.wait().unwrap();
            let record = record_was_stored.then(|| supervisor_of(&world.dir()));
            let driver = world.launcher("").adopt(&world.dir(), record.as_ref()).await.unwrap();
            assert_eq!(driver.record(), supervisor_of(&world.dir()));
            assert!(tokio::time::timeout(Duration::from_millis(100), driver.exited()).await.is_err());
            assert_eq!(in_time(driver.terminate(Duration::from_secs(2))).await, Exit::Code(5));
            world.assert_clean();
        }
    });
}

fn supervisor_of(dir: &Utf8Path) -> ProcessRecord {
    serde_json::from_slice(&fs::read(dir.join("supervisor.json")).unwrap()).unwrap()
}

fn a_number_that_is_anothers_now_is_not_adopted() {
    run(async {
        let world = World::new();
        let record = ProcessRecord { pid: i32::try_from(std::process::id()).unwrap(), start_ticks: 1 };
        assert_eq!(world.launcher("").adopt(&world.dir(), Some(&record)).await.err(), Some(Exit::Unknown));
        let never = World::new();
        assert_eq!(never.launcher("").adopt(&never.dir(), None).await.err(), Some(Exit::Unknown));
    });
}

fn an_abandoned_launch_leaves_nothing() {
    run(async {
        let world = World::new();
        let launcher = world.launcher(&world.sleeper());
        launcher.prepare().await.unwrap();
        let abandoned = tokio::time::timeout(Duration::from_millis(1), launcher.launch(world.order())).await;
        if let Ok(driver) = abandoned {
            in_time(driver.unwrap().terminate(Duration::ZERO)).await;
        }
        // Either it was given up before the supervisor started, or the supervisor has been told to end.
        wait_for("nothing to be left", || world.survivors().is_empty()).await;
    });
}

fn trials() -> Vec<Trial> {
    let tests: [(&str, fn()); 15] = [
        ("ends_by_itself", ends_by_itself),
        ("dies_of_a_signal", dies_of_a_signal),
        ("obeys_sigterm_within_the_grace", obeys_sigterm_within_the_grace),
        ("ignores_sigterm", ignores_sigterm),
        ("a_second_terminate_shortens_the_grace", a_second_terminate_shortens_the_grace),
        ("daemons_cannot_escape", daemons_cannot_escape),
        ("what_it_leaves_behind_is_ended", what_it_leaves_behind_is_ended),
        ("a_killed_supervisor", a_killed_supervisor),
        ("the_terminals_signals_do_not_reach_it", the_terminals_signals_do_not_reach_it),
        ("the_supervisor_is_small", the_supervisor_is_small),
        ("a_program_that_cannot_be_started", a_program_that_cannot_be_started),
        ("a_supervisor_that_is_none", a_supervisor_that_is_none),
        ("a_driver_outlives_a_killed_server", a_driver_outlives_a_killed_server),
        ("a_number_that_is_anothers_now_is_not_adopted", a_number_that_is_anothers_now_is_not_adopted),
        ("an_abandoned_launch_leaves_nothing", an_abandoned_launch_leaves_nothing),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || -> Result<(), Failed> {
            test();
            Ok(())
        })
    };
    tests.into_iter().map(trial).collect()
}
