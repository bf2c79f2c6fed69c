//! The contract of launchers, with a real Spark on a real cluster: `launcher_conformance!` with
//! applications in Python that do what the files of a directory say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use livius_domain::{DriverId, SystemClock, Verdict};
use livius_launch::conformance::{Manners, Place};
use livius_launch::{
    DriverOrder, ExecutorLogLimits, Jit, KubernetesLimits, Launcher, LocalConfig, LocalLauncher,
    Program, SparkPages, Spawn,
};
use livius_spark_home::{Environment, Search};

use crate::client::environment;
use crate::elsewhere::PATIENCE;
use crate::server::{CHEAP_JVM, Data, share_runtimes};

/// A driver whose behaviour is in files: it prints the file `line` once, and ends with the code in the
/// file `end`. A pod cannot write there.
const BEHAVIOUR: &str = r#"
import os, signal, sys, time
control = sys.argv[1]
path = lambda name: os.path.join(control, name)
if os.path.exists(path("stubborn")):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
from pyspark import SparkContext
SparkContext.getOrCreate()
printed = False
while True:
    if os.path.exists(path("line")) and not printed:
        with open(path("line")) as line:
            print(line.read(), end="", flush=True)
        printed = True
    if os.path.exists(path("end")):
        with open(path("end")) as code:
            sys.exit(int(code.read()))
    time.sleep(0.05)
"#;

/// A cluster that drivers run on.
pub trait Cluster: Send + Sync {
    /// The home of the Spark that submits drivers.
    fn home(&self) -> &str;

    /// A folder that drivers see at the same path.
    fn folder(&self) -> &Path;

    /// A file of that folder, as an order names it.
    fn named(&self, file: &Path) -> String;

    /// Spark's configuration of a driver there.
    fn conf(&self) -> BTreeMap<String, String>;

    /// The environment of the server.
    fn variables(&self) -> Vec<(String, String)>;

    /// Settings of the launcher that are the cluster's own.
    fn adapt(&self, _config: &mut LocalConfig) {}

    /// The cluster's verdict on a driver that has ended with this code.
    fn verdict(&self, driver: &DriverId, code: i32) -> Verdict;

    /// What runs there now, for any driver.
    fn live(&self) -> Vec<String>;
}

/// The cluster of the cases that run now. The list of cases has functions without arguments.
static CLUSTER: Mutex<Option<Arc<dyn Cluster>>> = Mutex::new(None);

/// Runs all cases on a cluster, one after the other.
pub fn run(cluster: Arc<dyn Cluster>) {
    struct Named;
    // A case that panics must not keep the cluster's processes.
    impl Drop for Named {
        fn drop(&mut self) {
            *CLUSTER.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
    *CLUSTER.lock().unwrap() = Some(cluster);
    let _named = Named;
    for (name, case) in livius_launch::launcher_conformance!(list OnCluster::new()) {
        println!("conforming: {name}");
        case();
    }
}

struct OnCluster {
    cluster: Arc<dyn Cluster>,
    /// The server's data. What runs there ends with it.
    data: Data,
    /// Tells apart the drivers of all cases, as the cluster remembers them.
    number: u32,
}

impl OnCluster {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let cluster = CLUSTER.lock().unwrap().clone();
        let cluster = cluster.expect("a cluster was named");
        let data = Data::make();
        share_runtimes(cluster.home(), &data);
        Self {
            cluster,
            data,
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn control(&self, id: &DriverId) -> PathBuf {
        self.cluster.folder().join("control").join(id.as_str())
    }

    /// Writes a file of a driver's control directory. It appears whole.
    fn tell(&self, id: &DriverId, name: &str, content: &str) {
        let control = self.control(id);
        std::fs::create_dir_all(&control).unwrap();
        std::fs::write(control.join("new"), content).unwrap();
        std::fs::rename(control.join("new"), control.join(name)).unwrap();
    }

    fn config(&self) -> LocalConfig {
        let path = |path: &Path| camino::Utf8PathBuf::from_path_buf(path.to_owned()).unwrap();
        let data = path(self.data.path());
        let mut variables = self.cluster.variables();
        variables.push(("PATH".to_owned(), "/usr/bin:/bin".to_owned()));
        variables.push(("SPARK_SUBMIT_OPTS".to_owned(), CHEAP_JVM.join(" ")));
        let mut config = LocalConfig {
            search: Search {
                environment: Environment::new(variables),
                runtimes: data.join("runtimes"),
                spark_home: Some(self.cluster.home().into()),
                java_home: environment("JAVA_HOME").map(Into::into),
            },
            drivers: data.join("drivers"),
            supervisor: vec![
                env!("CARGO_BIN_EXE_livius").to_owned(),
                "supervise".to_owned(),
            ],
            log_limit: 1 << 20,
            executor_logs: ExecutorLogLimits {
                most: 2,
                bytes: 1 << 20,
            },
            disk_reserve: 0,
            jit: Jit::Late,
            class_archive: true,
            data_dir: data,
            kubernetes: KubernetesLimits::default(),
            kubernetes_pages: SparkPages::default(),
        };
        self.cluster.adapt(&mut config);
        config
    }
}

#[async_trait]
impl Place for OnCluster {
    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn name(&self, number: u8) -> DriverId {
        DriverId::parse(&format!("b-{number}-{:06x}", self.number)).unwrap()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a launcher's task ends with the runtime of its test"
    )]
    fn launcher(&self) -> Arc<dyn Launcher> {
        let spawn: Spawn = Arc::new(|task| drop(tokio::spawn(task)));
        Arc::new(LocalLauncher::new(
            self.config(),
            Arc::new(SystemClock),
            spawn,
        ))
    }

    fn order(&self, id: &DriverId, manners: Manners) -> DriverOrder {
        self.tell(id, "app.py", BEHAVIOUR);
        if manners == Manners::Stubborn {
            self.tell(id, "stubborn", "");
        }
        let control = self.control(id);
        DriverOrder {
            id: id.clone(),
            conf: self.cluster.conf(),
            proxy_user: None,
            token: "topsecret".into(),
            servers: vec!["ws://127.0.0.1:1/api/v1/agent".to_owned()],
            program: Program::Application {
                file: self.cluster.named(&control.join("app.py")),
                class_name: None,
                args: vec![control.into_os_string().into_string().unwrap()],
            },
        }
    }

    async fn print(&self, id: &DriverId, line: &str) {
        // The driver looks for a line before it looks for its end.
        self.tell(id, "line", &format!("{line}\n"));
    }

    async fn end(&self, id: &DriverId, code: i32) {
        self.tell(id, "end", &code.to_string());
    }

    fn verdict(&self, code: i32) -> Option<Verdict> {
        Some(apart(|| self.cluster.verdict(&self.name(0), code)))
    }

    fn survivors(&self) -> Vec<String> {
        let mut left = apart(|| self.cluster.live());
        left.extend(self.data.processes().into_iter().map(|(_, line)| line));
        left
    }
}

/// Does work that waits for responses. It has a runtime of its own, which cannot start on a thread of
/// another one.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let ended = std::thread::scope(|scope| scope.spawn(work).join());
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
