//! A real cluster, and a client of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use livius_domain::SystemClock;
use livius_kubernetes::{
    Access, ContainerState, DriverPod, Follower, KubernetesError, LogLine, Namespace, Seen,
};
use livius_testkit::KubernetesCluster;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The limit of every wait. A machine with two busy cores is slow.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The namespace of all cases.
pub const SPACE: &str = "drivers";
/// The id of our server.
pub const OURS: &str = "5e5e5e5e5e5e5e5e";

/// The name of the container of a driver.
pub const MAIN: &str = "main";

pub struct World {
    pub cluster: KubernetesCluster,
    runtime: Runtime,
    /// A client with the rights that an administrator grants to Livius.
    pub namespace: Namespace,
}

impl World {
    pub fn start() -> Self {
        let mut cluster = KubernetesCluster::start(&KubernetesCluster::binary().unwrap());
        cluster.create_namespace(SPACE);
        let runtime = Runtime::new().unwrap();
        let access = with_kubeconfig(&cluster);
        let namespace = open(&runtime, &access, OURS).unwrap();
        Self {
            cluster,
            runtime,
            namespace,
        }
    }

    pub fn stop(self) {
        let Self {
            cluster,
            runtime,
            namespace,
        } = self;
        drop(namespace);
        drop(runtime);
        let containers = cluster.stop();
        println!("processes of pods at the end: {containers:?}");
    }

    /// The access of the account with Livius' rights.
    pub fn access(&self) -> Access {
        with_kubeconfig(&self.cluster)
    }

    /// Another client, with a watch that runs.
    pub fn open(&self, access: &Access, server: &str) -> Result<Namespace, KubernetesError> {
        open(&self.runtime, access, server)
    }

    pub fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        let limited = async { tokio::time::timeout(PATIENCE, what).await };
        self.runtime.block_on(limited).expect("it happens in time")
    }

    pub fn until(&self, follower: &mut Follower, wanted: impl FnMut(&Seen) -> bool) -> Seen {
        self.wait(follower.until(wanted))
    }

    /// Repeats a request until it gives a value.
    pub fn eventually<T, F>(&self, mut request: impl FnMut() -> F) -> T
    where
        F: Future<Output = Result<T, String>>,
    {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.wait(request()) {
                Ok(value) => return value,
                Err(problem) => assert!(Instant::now() < until, "{problem}"),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Creates the pod of a driver, which runs a command of the shell.
    pub fn create(&self, driver: &str, command: &str) -> Value {
        self.create_changed(driver, command, |_| {})
    }

    /// The same, after a change of the pod.
    pub fn create_changed(
        &self,
        driver: &str,
        command: &str,
        change: impl FnOnce(&mut Value),
    ) -> Value {
        let mut pod = pod(&format!("livius-{driver}"), OURS, driver, command);
        change(&mut pod);
        self.cluster
            .create(&format!("/api/v1/namespaces/{SPACE}/pods"), &pod)
    }

    /// Waits until the driver's pod has ended.
    pub fn ended(&self, driver: &str) -> DriverPod {
        let mut follower = self.namespace.follow(driver);
        let seen = self.until(&mut follower, |seen| {
            let pod = seen.pod.as_ref();
            pod.is_some_and(|pod| pod.phase.is_final())
        });
        seen.pod.unwrap()
    }

    /// Waits until the driver's container runs.
    pub fn started(&self, driver: &str) -> DriverPod {
        let mut follower = self.namespace.follow(driver);
        let seen = self.until(&mut follower, |seen| {
            let pod = seen.pod.as_ref();
            pod.is_some_and(|pod| matches!(state(pod), Some(ContainerState::Running { .. })))
        });
        seen.pod.unwrap()
    }

    /// Deletes a driver, and waits until nothing of it is there.
    pub fn delete(&self, driver: &str) {
        self.eventually(|| async {
            let left = self.namespace.delete(driver, Duration::from_secs(1)).await;
            match left {
                Ok(0) => Ok(()),
                other => Err(format!("{driver} is not gone: {other:?}")),
            }
        });
    }

    /// The whole log of a container, as of now.
    pub fn log(&self, pod: &DriverPod) -> Vec<LogLine> {
        self.wait(async {
            let log = self.namespace.log(pod, MAIN, None, false).await.unwrap();
            log.map(Result::unwrap).collect().await
        })
    }
}

/// The state of the driver's container.
pub fn state(pod: &DriverPod) -> Option<&ContainerState> {
    pod.container(MAIN)?.state.as_ref()
}

fn with_kubeconfig(cluster: &KubernetesCluster) -> Access {
    Access {
        kubeconfig: Some(cluster.credentials(SPACE, "livius").kubeconfig),
        ..Access::to(cluster.url())
    }
}

fn open(runtime: &Runtime, access: &Access, server: &str) -> Result<Namespace, KubernetesError> {
    let opened = Namespace::open(access, SPACE, server, Arc::new(SystemClock));
    let (namespace, watch) = runtime.block_on(opened)?;
    runtime.spawn(watch.run());
    Ok(namespace)
}

/// The pod of a driver.
pub fn pod(name: &str, server: &str, driver: &str, command: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": SPACE,
            "labels": {
                "livius/server": server, "livius/driver": driver, "spark-role": "driver",
                "spark-app-selector": format!("spark-{driver}"),
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [{
                "name": MAIN, "image": KubernetesCluster::SHELL,
                "command": ["/bin/bash", "-c", command],
            }],
        },
    })
}
