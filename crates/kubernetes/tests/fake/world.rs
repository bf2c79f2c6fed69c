//! A server with its client, and the pods of drivers.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use livius_kubernetes::{Access, DriverPod, KubernetesError, Namespace, Watch};
use livius_testkit::TestClock;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::server::{Asked, Server, State};

/// The id of our server.
pub const OURS: &str = "5e5e5e5e5e5e5e5e";
/// The id of another server in the same namespace.
pub const OTHER: &str = "0e0e0e0e0e0e0e0e";

pub struct World {
    pub state: State,
    pub server: Server,
    pub clock: Arc<TestClock>,
    pub namespace: Namespace,
    pub tasks: JoinSet<()>,
}

impl World {
    /// A server and a client whose watch does not run yet.
    pub async fn resting() -> (Self, Watch) {
        let state = State::default();
        let server = Server::start(&state).await;
        let clock = Arc::new(TestClock::default());
        let access = Access::to(format!("http://{}", server.address));
        let opened = Namespace::open(&access, "spark", OURS, Arc::clone(&clock) as _).await;
        let (namespace, watch) = opened.unwrap();
        let world = Self {
            state,
            server,
            clock,
            namespace,
            tasks: JoinSet::new(),
        };
        (world, watch)
    }

    /// A server and a client whose watch runs until the test ends.
    pub async fn start() -> Self {
        let (mut world, watch) = Self::resting().await;
        world.tasks.spawn(watch.run());
        world
    }

    /// The requests that are no watches, as lines.
    pub fn lines(&self) -> Vec<String> {
        let asked = self.state.asked();
        let asked = asked.iter().filter(|asked| !asked.is_watch());
        asked.map(Asked::line).collect()
    }

    pub fn count(&self, wanted: impl Fn(&Asked) -> bool) -> usize {
        let asked = self.state.asked();
        asked.iter().filter(|asked| wanted(asked)).count()
    }

    pub fn lists(&self) -> usize {
        self.count(|asked| asked.line() == "GET /pods" && !asked.is_watch())
    }

    pub fn watches(&self) -> usize {
        self.count(Asked::is_watch)
    }

    /// Adds or changes the pod of a driver.
    pub fn put_pod(&self, driver: &str, phase: &str) {
        let pod = pod(&format!("livius-{driver}"), OURS, driver, phase);
        self.state.change(|store| store.put("pods", pod));
    }

    pub fn remove_pod(&self, driver: &str) {
        let name = format!("livius-{driver}");
        self.state.change(|store| store.remove("pods", &name));
    }
}

/// The pod of a driver, whose age is in its name.
pub fn pod(name: &str, server: &str, driver: &str, phase: &str) -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": name, "namespace": "spark", "uid": format!("uid-of-{name}"),
            "creationTimestamp": "2026-11-30T14:02:12Z",
            "labels": {
                "livius/server": server, "livius/driver": driver, "spark-role": "driver",
                "spark-app-selector": format!("spark-{driver}"),
            },
        },
        "spec": {"containers": [{"name": "spark-kubernetes-driver", "image": "spark:4"}]},
        "status": {"phase": phase},
    })
}

/// The pod of an executor.
pub fn executor(name: &str, server: &str, driver: &str) -> Value {
    let mut pod = pod(name, server, driver, "Running");
    pod["metadata"]["labels"]["spark-role"] = json!("executor");
    pod
}

/// A pod as a caller has it.
pub fn known(name: &str) -> DriverPod {
    DriverPod {
        name: name.to_owned(),
        namespace: "spark".to_owned(),
        uid: format!("uid-of-{name}"),
        ..DriverPod::default()
    }
}

pub fn files(text: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([("launch.json".to_owned(), text.as_bytes().to_vec())])
}

pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what)
        .await
        .expect("it happens soon")
}

/// Waits for a condition.
pub async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not happen: {what}");
}

/// The variant of an error, and its text.
pub fn kind(error: &KubernetesError) -> String {
    let kind = match error {
        KubernetesError::Access { .. } => "access",
        KubernetesError::Away { .. } => "away",
        KubernetesError::Tls { .. } => "tls",
        KubernetesError::NotFound { .. } => "not found",
        KubernetesError::Refused { .. } => "refused",
        KubernetesError::Invalid { .. } => "invalid",
        KubernetesError::Foreign { .. } => "foreign",
    };
    format!("{kind}: {error}")
}
