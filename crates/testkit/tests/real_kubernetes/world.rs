//! A cluster with a namespace, and pods of shell commands.

use std::time::{Duration, Instant};

use livius_testkit::KubernetesCluster;
use serde_json::{Value, json};

/// The time of each step, on a machine with two busy cores.
const PATIENCE: Duration = Duration::from_mins(2);

pub const NAMESPACE: &str = "kit";

pub struct World {
    pub cluster: KubernetesCluster,
}

impl World {
    pub fn start() -> Self {
        let mut cluster = KubernetesCluster::start(&KubernetesCluster::binary().unwrap());
        cluster.create_namespace(NAMESPACE);
        Self { cluster }
    }

    pub fn stop(self) {
        let running = self.cluster.stop();
        assert!(running.is_empty(), "tests left pods: {running:#?}");
    }

    /// Creates a pod with one container, which runs a shell script. The extra object is merged into
    /// the pod's specification.
    pub fn run(&self, name: &str, script: &str, extra: &Value) -> Value {
        self.create(&pod(name, &["/bin/bash", "-c", script], extra))
    }

    pub fn create(&self, pod: &Value) -> Value {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/pods");
        self.cluster.create(&path, pod)
    }

    pub fn path(name: &str) -> String {
        format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}")
    }

    pub fn pod(&self, name: &str) -> Option<Value> {
        self.cluster.get(&Self::path(name))
    }

    /// The pod, as soon as it is as wanted.
    pub fn until(&self, name: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("{name}: {what}"), || {
            let pod = self.pod(name).unwrap_or_default();
            if holds(&pod) {
                Ok(pod)
            } else {
                Err(pod["status"].to_string())
            }
        })
    }

    pub fn until_phase(&self, name: &str, phase: &str) -> Value {
        self.until(name, phase, |pod| pod["status"]["phase"] == phase)
    }

    /// Deletes a pod, with the grace in seconds, and waits until it is gone.
    pub fn delete(&self, name: &str, grace: u32) {
        let options = json!({"gracePeriodSeconds": grace});
        let (status, answer) = self
            .cluster
            .request("DELETE", &Self::path(name), Some(&options));
        assert_eq!(status, 200, "{answer}");
        self.until_gone(name);
    }

    pub fn until_gone(&self, name: &str) {
        eventually(&format!("{name}: gone"), || match self.pod(name) {
            None => Ok(()),
            Some(pod) => Err(pod["status"].to_string()),
        });
    }

    /// The text of a pod's log.
    pub fn log(&self, name: &str, query: &str) -> String {
        let path = format!("{}/log?{query}", Self::path(name));
        let (status, text) = self.cluster.request("GET", &path, None);
        assert_eq!(status, 200, "{text}");
        match text {
            Value::String(text) => text,
            // A text that happens to be JSON, as a number.
            other => other.to_string(),
        }
    }

    /// The events of a pod: reason and message.
    pub fn events(&self, name: &str) -> Vec<(String, String)> {
        let path = format!(
            "/api/v1/namespaces/{NAMESPACE}/events?fieldSelector=involvedObject.name={name}"
        );
        let list = self.cluster.get(&path).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let events = list["items"].as_array().unwrap().iter();
        events
            .map(|event| (text(&event["reason"]), text(&event["message"])))
            .collect()
    }

    /// Waits for an event of a pod, and returns its message.
    pub fn until_event(&self, name: &str, reason: &str) -> String {
        eventually(&format!("{name}: event {reason}"), || {
            let events = self.events(name);
            let found = events.iter().find(|(known, _)| known == reason);
            found
                .map(|(_, message)| message.clone())
                .ok_or(format!("{events:?}"))
        })
    }

    /// Waits until a process of a container has this command line, or none has it.
    pub fn until_runs(&self, command: &str, runs: bool) {
        eventually(&format!("{command:?} runs: {runs}"), || {
            let all = self.cluster.containers();
            let found = all.iter().any(|line| line.trim_end() == command);
            if found == runs {
                Ok(())
            } else {
                Err(format!("{all:?}"))
            }
        });
    }
}

/// A pod with one container.
pub fn pod(name: &str, command: &[&str], extra: &Value) -> Value {
    let mut pod = json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{
                "name": "main", "image": KubernetesCluster::SHELL, "command": command,
            }],
        },
    });
    merge(&mut pod["spec"], extra);
    pod
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(from)) if !into.is_empty() => {
            merge(&mut into[0], &from[0]);
        }
        (_, Value::Null) => {}
        (into, from) => *into = from.clone(),
    }
}

/// The state of a pod's only container.
pub fn state(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]["state"]
}

/// Waits until something is there. The error says what is there instead.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < until, "not so: {what}; seen: {seen}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
