//! A cluster, and a server whose drivers run there.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use camino::Utf8Path;
use livius_testkit::YarnCluster;
use serde_json::Value;
use tempfile::TempDir;

use crate::Shared;
use crate::client::{eventually, get};
use crate::elsewhere::PATIENCE;
use crate::server::Server;

/// The looks at what is left after an end, five in a second.
const ATTEMPTS: u32 = 300;

pub struct World {
    pub yarn: YarnCluster,
    home: String,
    files: TempDir,
}

impl World {
    /// Starts the cluster. `None` if the test's environment has no YARN.
    pub fn start(shared: &Shared) -> Option<Self> {
        Self::start_as(shared, YarnCluster::start)
    }

    /// The same with a scheduler that preempts.
    pub fn start_preempting(shared: &Shared) -> Option<Self> {
        Self::start_as(shared, YarnCluster::start_preempting)
    }

    fn start_as(shared: &Shared, start: fn(&Utf8Path) -> YarnCluster) -> Option<Self> {
        let Some(jars) = YarnCluster::jars() else {
            println!(
                "SKIPPED: no test on YARN, as LIVIUS_TEST_YARN is not set; `cargo xtask test` sets it"
            );
            return None;
        };
        Some(Self {
            yarn: start(&jars),
            home: shared.spark.home.clone(),
            files: tempfile::tempdir().unwrap(),
        })
    }

    /// A server whose drivers run in containers, unless a request says otherwise.
    pub fn serve(&self) -> Server {
        let mut arguments = vec!["--master".to_owned(), "yarn".to_owned()];
        for (key, value) in self.settings() {
            arguments.extend(["--conf".to_owned(), format!("{key}={value}")]);
        }
        // A server that impersonates users lets them name no file, unless its directory is set.
        let files = std::env::temp_dir();
        let files = format!("files.local_directories={}", files.display());
        for setting in [
            "impersonation.enabled=true",
            "impersonation.allow_without_authentication=true",
            &files,
        ] {
            arguments.extend(["--set", setting].map(str::to_owned));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Server::start_with(&self.home, &arguments, self.environment())
    }

    /// Spark's configuration of all drivers.
    pub fn settings(&self) -> BTreeMap<String, String> {
        // Containers of this machine need no copy of Spark's jars.
        let jars = format!("local:{}/jars/*", self.home);
        let staging = format!("file://{}", self.yarn.staging_dir());
        let settings = [
            ("spark.submit.deployMode", "cluster"),
            ("spark.yarn.jars", &jars),
            ("spark.yarn.stagingDir", &staging),
            ("spark.executor.instances", "1"),
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
        let conf = self.yarn.conf_dir().into_string();
        vec![("HADOOP_CONF_DIR".to_owned(), conf)]
    }

    /// A folder of this machine, which containers see, too.
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    /// The home of the Spark that submits applications.
    pub fn home(&self) -> &str {
        &self.home
    }

    /// The id of the only application with a tag.
    pub fn tagged(&self, tag: &str) -> String {
        let url = format!(
            "{}/ws/v1/cluster/apps?applicationTags={tag}",
            self.yarn.url()
        );
        let answer = get(&url).1;
        let apps = answer["apps"]["app"].as_array().unwrap();
        assert_eq!(apps.len(), 1, "{answer}");
        apps[0]["id"].as_str().unwrap().to_owned()
    }

    /// The application as the ResourceManager shows it.
    pub fn application(&self, id: &str) -> Value {
        let (status, answer) = get(&format!("{}/ws/v1/cluster/apps/{id}", self.yarn.url()));
        assert_eq!(status, 200, "{answer}");
        answer["app"].clone()
    }

    /// All applications of the cluster that have not ended.
    pub fn live(&self) -> Vec<Value> {
        let answer = get(&format!("{}/ws/v1/cluster/apps", self.yarn.url())).1;
        let all = answer["apps"]["app"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let is_final = |app: &Value| {
            ["FINISHED", "FAILED", "KILLED"]
                .iter()
                .any(|state| app["state"] == *state)
        };
        all.into_iter().filter(|app| !is_final(app)).collect()
    }

    /// Waits until nothing of any driver is left: no application, no process.
    pub fn await_nothing(&self, server: &Server) {
        let left = || {
            let live = self.live().into_iter().map(|app| app.to_string());
            // The server has the cluster's directory in its environment.
            let containers = self.yarn.containers().into_iter();
            let containers = containers.filter(|line| !line.contains(" serve "));
            let processes = containers.chain(server.processes());
            live.chain(processes).collect::<Vec<_>>()
        };
        let mut last = Vec::new();
        for _ in 0..ATTEMPTS {
            last = left();
            if last.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("something is left: {last:#?}");
    }
}

/// The id of the application that a session or batch shows, once it has one.
pub fn application_of(url: &str) -> String {
    eventually("the application has an id", PATIENCE, || {
        let shown = get(url).1;
        let id = shown["appId"].as_str()?;
        id.starts_with("application_").then(|| id.to_owned())
    })
}
