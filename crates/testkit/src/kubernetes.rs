//! A real Kubernetes on this machine: the API server, its store, the controllers, and a node that
//! runs containers as processes.

mod access;
mod certificates;
mod control_plane;
mod image;
mod node;
mod rights;
mod site;
mod worker;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use kube::Client;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use self::access::Credentials;
pub use self::image::Image;

use self::control_plane::Silence;
use self::image::Images;
use self::node::Node;
use self::site::Site;
use self::worker::Worker;
use crate::daemon::{Daemon, OfFolder, processes_of};

/// The time in which the processes start, on a machine with two busy cores.
const PATIENCE: Duration = Duration::from_mins(3);

/// Other programs take ports, too: a start is repeated with other ones.
const ATTEMPTS: u32 = 3;

const PAUSE: Duration = Duration::from_millis(50);

/// A running cluster. Dropping it ends all its processes, also those of its pods.
///
/// It has one node, with 8 processors and 16 GiB, on paper. A container is a group of processes of
/// this machine, with its own view of files and processes, a copy of the machine's files, and an
/// address of the loopback interface. All programs of the machine are there, so an image is a name
/// with a few settings: [`Image`]. Pods reach the API server as `kubernetes.default.svc`, and all
/// servers of this machine at `127.0.0.1`.
pub struct KubernetesCluster {
    binary: Utf8PathBuf,
    site: Arc<Site>,
    client: Client,
    images: Images,
    node: Option<Node>,
    api_server: Option<Daemon>,
    controllers: Option<Daemon>,
    // The fields above use these two.
    worker: Worker,
    folder: TempDir,
}

impl KubernetesCluster {
    /// The image of [`Image::shell`], which every cluster has.
    pub const SHELL: &str = "livius.test/shell:1";

    /// The binary with the API server and the controllers. The error says why there can be no
    /// cluster: `cargo xtask test --kubernetes` builds the binary.
    pub fn binary() -> Result<Utf8PathBuf, String> {
        let Some(binary) = std::env::var_os("LIVIUS_TEST_KUBERNETES") else {
            return Err(
                "LIVIUS_TEST_KUBERNETES is not set; `cargo xtask test --kubernetes` sets it".into(),
            );
        };
        if !rustix::process::geteuid().is_root() {
            return Err("the node for tests needs root".into());
        }
        if !can_make_containers() {
            return Err("the node for tests needs namespaces: `unshare` fails here".into());
        }
        Ok(Utf8PathBuf::from_path_buf(binary.into()).unwrap())
    }

    /// Starts everything. Returns when the node is ready and pods can be created.
    pub fn start(binary: &Utf8Path) -> Self {
        for attempt in 1.. {
            match Self::try_start(binary) {
                Ok(cluster) => return cluster,
                Err(problem) => assert!(attempt < ATTEMPTS, "Kubernetes does not start: {problem}"),
            }
        }
        unreachable!("the last attempt panics")
    }

    fn try_start(binary: &Utf8Path) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("kubernetes-")
            .tempdir()
            .unwrap();
        let site = Arc::new(Site::new(Utf8Path::from_path(folder.path()).unwrap()));
        let worker = Worker::start("kubernetes-node");
        let client = {
            // The client starts tasks.
            let _runtime = worker.handle().enter();
            site.client()
        };
        let images = Images::default();
        images.add(Self::SHELL, Image::shell());
        let mut cluster = Self {
            binary: binary.to_owned(),
            api_server: Some(control_plane::api_server(binary, &site)),
            controllers: None,
            site,
            client,
            images,
            node: None,
            worker,
            folder,
        };
        cluster.until_serving()?;
        cluster.start_controllers(Silence::FiveMinutes);
        let site = Arc::clone(&cluster.site);
        let node = Node::start(site, cluster.client.clone(), cluster.images.clone());
        cluster.node = Some(cluster.worker.wait(node));
        cluster.until_account_exists("default")?;
        Ok(cluster)
    }

    fn until_serving(&mut self) -> Result<(), String> {
        self.until(|cluster| cluster.request("GET", "/readyz", None).0 == 200)
    }

    fn until_account_exists(&mut self, namespace: &str) -> Result<(), String> {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
        self.until(|cluster| cluster.get(&path).is_some())
    }

    fn until(&mut self, holds: impl Fn(&Self) -> bool) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        while !holds(self) {
            for daemon in [&mut self.api_server, &mut self.controllers]
                .into_iter()
                .flatten()
            {
                if daemon.has_ended() || Instant::now() > until {
                    return Err(daemon.said());
                }
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The address of the API server, `https://127.0.0.1:…`. Spark's master is `k8s://` and this.
    pub fn url(&self) -> String {
        self.site.url()
    }

    /// The port of the API server.
    pub fn port(&self) -> u16 {
        self.site.api
    }

    /// The certificate that clients have to trust.
    pub fn ca(&self) -> Utf8PathBuf {
        self.site.file("ca.crt")
    }

    /// A file for `KUBECONFIG`, of a user who may do everything.
    pub fn kubeconfig(&self) -> Utf8PathBuf {
        self.site.file("admin.kubeconfig")
    }

    /// A folder that lives as long as the cluster.
    pub fn root(&self) -> &Utf8Path {
        self.site.root()
    }

    /// The end of the log of the API server.
    pub fn api_server_said(&self) -> String {
        self.api_server
            .as_ref()
            .map(Daemon::said)
            .unwrap_or_default()
    }

    /// Gives the node an image. A pod that waits for it goes on.
    pub fn add_image(&self, name: &str, image: Image) {
        self.images.add(name, image);
    }

    /// A request of the administrator. Returns the status and the body, which is a text if it is
    /// not JSON. The status is 0 if there is no response.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let kind = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", kind)
            .body(kube::client::Body::from(body.into_bytes()))
            .unwrap();
        let client = self.client.clone();
        self.worker.wait(async move {
            let Ok(response) = client.send(request).await else {
                return (0, Value::Null);
            };
            let status = response.status().as_u16();
            let Ok(bytes) = response.into_body().collect_bytes().await else {
                return (0, Value::Null);
            };
            let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
            (
                status,
                serde_json::from_slice(&bytes).unwrap_or_else(|_| text()),
            )
        })
    }

    /// An object by its path. `None` if there is none.
    pub fn get(&self, path: &str) -> Option<Value> {
        let (status, object) = self.request("GET", path, None);
        (status == 200).then_some(object)
    }

    /// Creates an object in the collection at a path. Returns it as the API server has it.
    pub fn create(&self, path: &str, object: &Value) -> Value {
        let (status, created) = self.request("POST", path, Some(object));
        assert_eq!(status, 201, "{path}: {created}");
        created
    }

    /// Kills the API server, as an outage does. Pods go on.
    pub fn kill_api_server(&mut self) {
        self.api_server = None;
    }

    /// Starts the API server again, with its data, on the same port. Returns when it serves.
    pub fn restart_api_server(&mut self) {
        self.api_server = None;
        self.api_server = Some(control_plane::api_server(&self.binary, &self.site));
        let started = self.until_serving();
        started.unwrap_or_else(|problem| panic!("the API server does not come back: {problem}"));
    }

    /// Lets the node report that it is ready, or is not. A node that is not ready loses its pods
    /// after three seconds: the controllers delete them.
    pub fn set_node_ready(&self, ready: bool) {
        let node = self.node().clone();
        self.worker.wait(async move { node.set_ready(ready).await });
    }

    /// Cuts the node off, as a power failure does. It gives no sign of life, and does nothing that the
    /// API server asks for. Its containers go on, which the cluster cannot know. After ten seconds the
    /// controllers take it for unreachable, and three seconds later they delete its pods: those stay,
    /// because only the node could confirm it.
    pub fn lose_node(&mut self) {
        let node = self.node().clone();
        self.worker.wait(async move { node.cut_off().await });
        self.start_controllers(Silence::TenSeconds);
    }

    /// Brings the node back, also if its object was deleted. It kills the containers of pods that are
    /// gone.
    pub fn bring_node_back(&mut self) {
        self.start_controllers(Silence::FiveMinutes);
        let node = self.node().clone();
        self.worker.wait(async move { node.come_back().await });
    }

    fn start_controllers(&mut self, silence: Silence) {
        // The earlier ones free their port first.
        self.controllers = None;
        let controllers = control_plane::controllers(&self.binary, &self.site, silence);
        self.controllers = Some(controllers);
    }

    /// Ends a pod as a node does that has too little memory: the reason is `Evicted`.
    pub fn evict(&self, namespace: &str, pod: &str) {
        let (node, name) = (self.node().clone(), (namespace.to_owned(), pod.to_owned()));
        let found = self
            .worker
            .wait(async move { node.evict(&name.0, &name.1).await });
        assert!(found, "no pod {pod} lives on the node");
    }

    /// Deletes a pod as somebody does who drains its node: by the eviction API.
    pub fn drain(&self, namespace: &str, pod: &str) {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/eviction");
        let eviction = json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"namespace": namespace, "name": pod},
        });
        self.create(&path, &eviction);
    }

    fn node(&self) -> &Node {
        self.node.as_ref().expect("the cluster has started")
    }

    /// The command lines of all processes in containers.
    pub fn containers(&self) -> Vec<String> {
        let processes = self.of_containers().into_iter();
        processes.map(|process| process.command).collect()
    }

    fn of_containers(&self) -> Vec<OfFolder> {
        let mark = format!("{}={}", node::MARK, self.site.file("pods"));
        let is_marked = |process: &OfFolder| {
            let environment = std::fs::read(format!("/proc/{}/environ", process.pid));
            let environment = environment.unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|variable| variable.starts_with(mark.as_bytes()))
        };
        processes_of(self.folder.path())
            .into_iter()
            .filter(is_marked)
            .collect()
    }

    /// Ends everything. Returns the processes of pods that ran until then. Fails if a process is
    /// left.
    pub fn stop(mut self) -> Vec<String> {
        let containers = self.containers();
        self.end();
        let left: Vec<OfFolder> = self.of_containers();
        assert!(left.is_empty(), "processes are left: {left:?}");
        containers
    }

    fn end(&mut self) {
        if let Some(node) = self.node.take() {
            self.worker.wait(async move { node.stop().await });
        }
        self.controllers = None;
        self.api_server = None;
        end_all(|| self.of_containers());
    }
}

impl Drop for KubernetesCluster {
    fn drop(&mut self) {
        self.end();
    }
}

/// Kills processes until there are none.
fn end_all(find: impl Fn() -> Vec<OfFolder>) {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = find();
        if left.is_empty() || Instant::now() > until {
            return;
        }
        for process in left {
            // It may have ended in between.
            let _ = kill_process(process.pid, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Tries the namespaces and the mounts of a container.
fn can_make_containers() -> bool {
    let script = "d=$(mktemp -d) && mount -t tmpfs tmpfs $d && mkdir $d/u $d/w $d/r && \
                  mount -t overlay overlay -o lowerdir=/,upperdir=$d/u,workdir=$d/w $d/r && \
                  mount -t proc proc $d/r/proc; result=$?; umount -R $d; rmdir $d; exit $result";
    let programs = ["setpriv", "unshare"].map(|name| Path::new("/usr/bin").join(name));
    let tried = Command::new(&programs[0])
        .args(["--pdeathsig", "KILL", "unshare", "--kill-child"])
        .args([
            "--mount",
            "--uts",
            "--pid",
            "--fork",
            "--propagation",
            "private",
        ])
        .args(["/bin/bash", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}
