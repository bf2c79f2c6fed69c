//! A real YARN on this machine: a ResourceManager, a NodeManager, and the server of the logs of
//! ended applications. All of them listen on the loopback interface.

mod daemon;
mod site;

use std::path::Path;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use self::daemon::{ask, get};
use self::site::{Ports, Scheduling};
use crate::daemon::{Daemon, processes_of};

/// The only user who may submit to [`YarnCluster::CLOSED_QUEUE`].
const MEMBER: &str = "member";

/// The time in which the daemons start, on a machine with two busy cores.
const PATIENCE: Duration = Duration::from_mins(3);

/// Other programs take ports, too: a start is repeated with other ones.
const ATTEMPTS: u32 = 3;

const RESOURCE_MANAGER: &str = "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager";
const NODE_MANAGER: &str = "org.apache.hadoop.yarn.server.nodemanager.NodeManager";
const LOG_SERVER: &str =
    "org.apache.hadoop.yarn.server.applicationhistoryservice.ApplicationHistoryServer";

/// A running cluster. Dropping it ends all its processes, also those of its applications.
///
/// It has 8 GB for containers, on paper, and the queues `default` (50 % of it), `etl` (40 %) and
/// [`Self::CLOSED_QUEUE`]. Each may grow to the whole cluster, and masters to 90 % of it. The user who runs the test administers it. The daemons check
/// access, and believe the user's name in a request. A restarted ResourceManager knows the applications of the earlier one.
pub struct YarnCluster {
    jars: Utf8PathBuf,
    ports: Ports,
    /// The ResourceManagers that run, by their number.
    resource_managers: Vec<Option<Daemon>>,
    /// The number of the one that serves.
    active: usize,
    node_manager: Option<Daemon>,
    log_server: Option<Daemon>,
    folder: TempDir,
}

impl YarnCluster {
    /// A queue to which only its members may submit, and the administrator may not.
    pub const CLOSED_QUEUE: &str = "closed";

    /// The folder with YARN's jars. `None` if the test's environment does not name one: `cargo xtask
    /// provide` gets them.
    pub fn jars() -> Option<Utf8PathBuf> {
        let jars = std::env::var_os("LIVIUS_TEST_YARN")?;
        Some(Utf8PathBuf::from_path_buf(jars.into()).unwrap())
    }

    /// Starts all daemons. Returns when the ResourceManager is active and knows its node.
    pub fn start(jars: &Utf8Path) -> Self {
        Self::start_with(jars, 1, Scheduling::Waits)
    }

    /// Starts a cluster with a second ResourceManager, which is on standby.
    pub fn start_pair(jars: &Utf8Path) -> Self {
        Self::start_with(jars, 2, Scheduling::Waits)
    }

    /// Starts a cluster whose scheduler preempts containers. If an application waits in a queue that
    /// has less than its share, a queue that has more than its own loses containers within a second or
    /// two: the newest first, and masters last.
    pub fn start_preempting(jars: &Utf8Path) -> Self {
        Self::start_with(jars, 1, Scheduling::Preempts)
    }

    fn start_with(jars: &Utf8Path, managers: usize, scheduling: Scheduling) -> Self {
        for attempt in 1.. {
            match Self::try_start(jars, managers, scheduling) {
                Ok(cluster) => return cluster,
                Err(problem) => assert!(attempt < ATTEMPTS, "YARN does not start: {problem}"),
            }
        }
        unreachable!("the last attempt panics")
    }

    fn try_start(jars: &Utf8Path, managers: usize, scheduling: Scheduling) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("yarn-").tempdir().unwrap();
        let ports = Ports::free(managers);
        let mut cluster = Self {
            jars: jars.to_owned(),
            ports,
            resource_managers: Vec::new(),
            active: 0,
            node_manager: None,
            log_server: None,
            folder,
        };
        site::write(cluster.root(), &cluster.ports, scheduling, MEMBER);
        for number in 0..managers {
            let manager = cluster.manager(number);
            cluster.resource_managers.push(Some(manager));
        }
        cluster.node_manager = Some(cluster.daemon(NODE_MANAGER));
        cluster.log_server = Some(cluster.daemon(LOG_SERVER));
        cluster.activate(0)?;
        cluster.until_serving()?;
        Ok(cluster)
    }

    fn daemon(&self, class: &str) -> Daemon {
        let name = class.rsplit('.').next().unwrap();
        daemon::start(class, &self.jars, self.root(), &self.conf_dir(), name)
    }

    fn manager(&self, number: usize) -> Daemon {
        if self.ports.managers.len() == 1 {
            return self.daemon(RESOURCE_MANAGER);
        }
        let conf = site::manager_conf_dir(self.root(), number);
        let name = site::manager_id(number);
        daemon::start(RESOURCE_MANAGER, &self.jars, self.root(), &conf, &name)
    }

    /// Makes one of several ResourceManagers the active one.
    fn activate(&mut self, number: usize) -> Result<(), String> {
        self.active = number;
        if self.ports.managers.len() == 1 {
            return Ok(());
        }
        let id = site::manager_id(number);
        let until = Instant::now() + PATIENCE;
        loop {
            // Without force, the command waits for the answer of the other one, which may be dead.
            let words = ["-transitionToActive", "--forceactive", &id];
            let Err(said) = daemon::administer(&words, &self.jars, self.root()) else {
                return Ok(());
            };
            let manager = self.resource_managers[number].as_mut();
            if manager.is_none_or(Daemon::has_ended) || Instant::now() > until {
                return Err(said);
            }
        }
    }

    fn until_serving(&mut self) -> Result<(), String> {
        let nodes = format!("{}/ws/v1/cluster/nodes", self.url());
        let logs = format!("{}/about", self.log_url());
        let until = Instant::now() + PATIENCE;
        loop {
            let ready = get(&nodes).is_some_and(|nodes| nodes.contains(r#""state":"RUNNING""#))
                && get(&logs).is_some();
            if ready {
                return Ok(());
            }
            let others = [&mut self.node_manager, &mut self.log_server];
            let daemons = self.resource_managers.iter_mut().chain(others);
            for daemon in daemons.flatten() {
                if daemon.has_ended() || Instant::now() > until {
                    return Err(daemon.said());
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the active ResourceManager, as an outage does.
    pub fn kill_resource_manager(&mut self) {
        self.resource_managers[self.active] = None;
    }

    /// Starts the ResourceManager again, on the same ports. Returns when it knows its node.
    pub fn restart_resource_manager(&mut self) {
        self.kill_resource_manager();
        self.resource_managers[self.active] = Some(self.manager(self.active));
        let started = self.until_serving();
        started
            .unwrap_or_else(|problem| panic!("the ResourceManager does not come back: {problem}"));
    }

    /// Makes the ResourceManager on standby the active one, after the death of the other one. Returns
    /// when it knows its node.
    pub fn fail_over(&mut self) {
        let next = (self.active + 1) % self.resource_managers.len();
        let serving = self.activate(next).and_then(|()| self.until_serving());
        serving.unwrap_or_else(|problem| panic!("the other one does not take over: {problem}"));
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    /// The directory for `HADOOP_CONF_DIR`.
    pub fn conf_dir(&self) -> Utf8PathBuf {
        site::conf_dir(self.root())
    }

    /// An empty directory for `spark.yarn.stagingDir`.
    pub fn staging_dir(&self) -> Utf8PathBuf {
        site::staging_dir(self.root())
    }

    /// The address of the active ResourceManager's web server, `http://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.managers[self.active].web)
    }

    /// Kills an application, as its administrator does.
    pub fn kill_application(&self, id: &str) {
        let user = site::user();
        let url = format!(
            "{}/ws/v1/cluster/apps/{id}/state?user.name={user}",
            self.url()
        );
        let answer = ask(&url, "PUT", r#"{"state":"KILLED"}"#);
        assert!(matches!(answer, Some((200 | 202, _))), "{answer:?}");
    }

    /// The address of the REST interface that has the logs of ended applications.
    pub fn log_url(&self) -> String {
        site::log_url(&self.ports)
    }

    /// The processes of applications that run now.
    pub fn containers(&self) -> Vec<String> {
        let others = [&self.node_manager, &self.log_server];
        let daemons = self.resource_managers.iter().chain(others);
        let daemons: Vec<Pid> = daemons.flatten().map(Daemon::pid).collect();
        let others = processes_of(self.folder.path())
            .into_iter()
            .filter(|process| !daemons.contains(&process.pid));
        others.map(|process| process.command).collect()
    }

    /// Ends everything. Returns the processes of applications that ran until then. Fails if a
    /// process is left.
    pub fn stop(mut self) -> Vec<String> {
        let containers = self.containers();
        self.end();
        let left = processes_of(self.folder.path());
        assert!(left.is_empty(), "processes are left: {left:?}");
        containers
    }

    fn end(&mut self) {
        // The NodeManager goes first, because it would start containers again.
        self.node_manager = None;
        self.resource_managers.clear();
        self.log_server = None;
        end_all(self.folder.path());
    }
}

impl Drop for YarnCluster {
    fn drop(&mut self) {
        self.end();
    }
}

/// Kills what the NodeManager started. Each container has a process group of its own.
fn end_all(folder: &Path) {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = processes_of(folder);
        if left.is_empty() || Instant::now() > until {
            return;
        }
        for process in left {
            // It may have ended in between.
            let _ = kill_process(process.pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
