//! A cluster, and a server whose drivers run there.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use camino::Utf8Path;
use livius_testkit::{Credentials, Image, KubernetesCluster};
use serde_json::Value;
use tempfile::TempDir;

use crate::Shared;
use crate::client::{environment, eventually, get};
use crate::elsewhere::PATIENCE;
use crate::server::Server;

/// The namespace of all drivers.
pub const NAMESPACE: &str = "spark";
/// The image of all drivers.
const IMAGE: &str = "livius.test/spark:1";

/// The looks at what is left after an end, five in a second.
const ATTEMPTS: u32 = 300;

pub struct World {
    pub cluster: KubernetesCluster,
    account: Credentials,
    home: String,
    python: String,
    files: TempDir,
}

impl World {
    /// Starts the cluster. `None` if the test's environment has no Kubernetes.
    pub fn start(shared: &Shared) -> Option<Self> {
        let needed = ["JAVA_HOME", "LIVIUS_TEST_PYTHON"].map(environment);
        let (binary, java, python) = match (KubernetesCluster::binary(), needed) {
            (Ok(binary), [Some(java), Some(python)]) => (binary, java, python),
            (Err(why), _) => {
                println!("SKIPPED: no test on Kubernetes: {why}");
                return None;
            }
            _ => {
                println!(
                    "SKIPPED: no test on Kubernetes, as JAVA_HOME or LIVIUS_TEST_PYTHON is not set"
                );
                return None;
            }
        };
        let mut cluster = KubernetesCluster::start(&binary);
        cluster.create_namespace(NAMESPACE);
        let files = tempfile::tempdir().unwrap();
        let prefix = Utf8Path::new(&python).parent().and_then(Utf8Path::parent);
        let image = Image::spark(shared.spark.home.as_str().into(), java.as_str().into())
            .showing(prefix.unwrap())
            .showing(Utf8Path::from_path(files.path()).unwrap());
        cluster.add_image(IMAGE, image);
        Some(Self {
            account: cluster.credentials(NAMESPACE, "livius"),
            cluster,
            home: shared.spark.home.clone(),
            python,
            files,
        })
    }

    /// A server whose drivers run in pods, unless a request says otherwise. It has the account with
    /// the rights that an administrator grants to it.
    pub fn serve(&self) -> Server {
        let mut arguments = Vec::new();
        for (key, value) in self.settings() {
            arguments.extend(["--conf".to_owned(), format!("{key}={value}")]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Server::start_with(&self.home, &arguments, self.environment())
    }

    /// Spark's configuration of all drivers.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let master = format!("k8s://{}", self.cluster.url());
        let settings = [
            ("spark.master", master.as_str()),
            ("spark.submit.deployMode", "cluster"),
            ("spark.kubernetes.namespace", NAMESPACE),
            ("spark.kubernetes.container.image", IMAGE),
            (
                "spark.kubernetes.authenticate.driver.serviceAccountName",
                "spark",
            ),
            ("spark.pyspark.python", &self.python),
            ("spark.executor.instances", "1"),
            ("spark.kubernetes.driver.request.cores", "100m"),
            ("spark.kubernetes.executor.request.cores", "100m"),
            ("spark.driver.memory", "512m"),
            ("spark.executor.memory", "512m"),
            ("spark.ui.enabled", "false"),
        ];
        settings
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    /// The variables of a server whose drivers run there.
    pub fn environment(&self) -> Vec<(String, String)> {
        let kubeconfig = self.account.kubeconfig.to_string();
        vec![("KUBECONFIG".to_owned(), kubeconfig)]
    }

    /// The home of the Spark that submits drivers.
    pub fn home(&self) -> &str {
        &self.home
    }

    /// A folder that pods see at the same path.
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    /// The objects of a kind in the namespace, such as `pods`.
    pub fn all(&self, kind: &str) -> Vec<Value> {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/{kind}");
        let list = self.cluster.get(&path).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// The names of everything that drivers have there.
    pub fn left(&self) -> Vec<String> {
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
        let mut left = Vec::new();
        for kind in ["pods", "secrets", "services", "configmaps"] {
            let names = self.all(kind).into_iter().map(|object| name(&object));
            // Each namespace has the certificate of the API server.
            let theirs = names.filter(|name| name != "kube-root-ca.crt");
            left.extend(theirs.map(|name| format!("{kind}/{name}")));
        }
        left
    }

    /// Waits until nothing of any driver is left: no object, no process.
    pub fn await_nothing(&self, server: &Server) {
        let mut last = Vec::new();
        for _ in 0..ATTEMPTS {
            last = self.left();
            last.extend(self.cluster.containers());
            last.extend(server.processes());
            if last.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("something is left: {last:#?}");
    }

    /// Ends everything.
    pub fn stop(self) {
        let left = self.cluster.stop();
        assert!(left.is_empty(), "{left:#?}");
    }
}

/// The id of the application that a session or batch shows, once it has one.
pub fn application_of(url: &str) -> String {
    eventually("the application has an id", PATIENCE, || {
        let shown = get(url).1;
        let id = shown["appId"].as_str()?;
        id.starts_with("spark-").then(|| id.to_owned())
    })
}
