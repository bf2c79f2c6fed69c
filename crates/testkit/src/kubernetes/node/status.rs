//! The status of a pod, as its node reports it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, PodSpec};
use serde_json::{Value, json};

use super::container::Ended;
use super::time::{now, seconds};

/// The state of a container.
#[derive(Debug, Clone)]
pub enum State {
    Waiting {
        reason: &'static str,
        message: Option<String>,
    },
    Running {
        started: Timestamp,
    },
    Terminated(Ended),
}

impl State {
    fn waiting(reason: &'static str) -> Self {
        Self::Waiting {
            reason,
            message: None,
        }
    }

    fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }

    fn json(&self, id: &str) -> Value {
        match self {
            Self::Waiting { reason, message } => {
                json!({"waiting": {"reason": reason, "message": message}})
            }
            Self::Running { started } => json!({"running": {"startedAt": seconds(*started)}}),
            Self::Terminated(ended) => json!({"terminated": {
                "exitCode": ended.exit_code, "reason": ended.reason, "message": ended.message,
                "startedAt": seconds(ended.started), "finishedAt": seconds(ended.finished),
                "containerID": id,
            }}),
        }
    }
}

/// The reason for a pod's end that is not an end of its containers.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub reason: &'static str,
    pub message: String,
    /// The time for the containers between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Tells whether it is the cluster's doing, and not the pod's.
    pub is_disruption: bool,
}

/// The containers of one kind.
#[derive(Debug, Clone)]
pub struct Part {
    pub container: Container,
    pub state: State,
}

impl Part {
    fn new(container: &Container, reason: &'static str) -> Self {
        Self {
            container: container.clone(),
            state: State::waiting(reason),
        }
    }

    fn json(&self, uid: &str) -> Value {
        let Container { name, image, .. } = &self.container;
        let id = format!("livius://{uid}/{name}");
        let has_run = !matches!(self.state, State::Waiting { .. });
        json!({
            "name": name, "image": image, "restartCount": 0,
            "imageID": if has_run { image.clone() } else { Some(String::new()) },
            "containerID": has_run.then_some(&id),
            "ready": self.state.is_running(), "started": self.state.is_running(),
            "state": self.state.json(&id),
        })
    }
}

/// All that a node knows about a pod.
pub struct Report {
    pub uid: String,
    pub address: String,
    pub accepted: Timestamp,
    pub init: Vec<Part>,
    pub parts: Vec<Part>,
    pub verdict: Option<Verdict>,
    conditions: BTreeMap<&'static str, (bool, Timestamp)>,
}

impl Report {
    pub fn new(uid: &str, address: &str, pod: &PodSpec) -> Self {
        let first = pod.init_containers.as_deref().unwrap_or_default();
        let reason = match first {
            [] => "ContainerCreating",
            _ => "PodInitializing",
        };
        let parts = |containers: &[Container]| {
            let parts = containers
                .iter()
                .map(|container| Part::new(container, reason));
            parts.collect::<Vec<_>>()
        };
        Self {
            uid: uid.to_owned(),
            address: address.to_owned(),
            accepted: now(),
            init: parts(first),
            parts: parts(&pod.containers),
            verdict: None,
            conditions: BTreeMap::new(),
        }
    }

    fn phase(&self) -> &'static str {
        let failed = |part: &Part| matches!(&part.state, State::Terminated(e) if e.exit_code != 0);
        let waiting = |part: &Part| matches!(part.state, State::Waiting { .. });
        let over = |part: &Part| matches!(part.state, State::Terminated(_));
        if self.verdict.is_some() || self.init.iter().any(failed) {
            "Failed"
        } else if self.parts.iter().all(over) {
            let any = self.parts.iter().any(failed);
            if any { "Failed" } else { "Succeeded" }
        } else if self.parts.iter().all(waiting) {
            "Pending"
        } else {
            "Running"
        }
    }

    /// A patch of the pod's status. It names the pod's uid, so that it changes no other pod of the
    /// same name.
    pub fn patch(&mut self) -> Value {
        let phase = self.phase();
        let all = |parts: &[Part]| -> Vec<Value> {
            parts.iter().map(|part| part.json(&self.uid)).collect()
        };
        let (init, parts) = (all(&self.init), all(&self.parts));
        let mut conditions = self.conditions(phase);
        if let Some(verdict) = self
            .verdict
            .as_ref()
            .filter(|verdict| verdict.is_disruption)
        {
            conditions.push(json!({
                "type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet",
                "message": verdict.message, "lastTransitionTime": seconds(now()),
            }));
        }
        let verdict = self.verdict.as_ref();
        json!({
            "metadata": {"uid": self.uid},
            "status": {
                "phase": phase,
                "reason": verdict.map(|verdict| verdict.reason),
                "message": verdict.map(|verdict| &verdict.message),
                "hostIP": "127.0.0.1", "hostIPs": [{"ip": "127.0.0.1"}],
                "podIP": self.address, "podIPs": [{"ip": self.address}],
                "startTime": seconds(self.accepted),
                "initContainerStatuses": init,
                "containerStatuses": parts,
                "conditions": conditions,
            },
        })
    }

    fn conditions(&mut self, phase: &str) -> Vec<Value> {
        let over = |part: &Part| matches!(&part.state, State::Terminated(e) if e.exit_code == 0);
        let ready = self.verdict.is_none() && self.parts.iter().all(|part| part.state.is_running());
        let initialized = self.init.iter().all(over);
        let states = [
            ("PodReadyToStartContainers", phase == "Running"),
            ("Initialized", initialized),
            ("ContainersReady", ready),
            ("Ready", ready),
        ];
        let time = now();
        let reason = match phase {
            "Succeeded" => Some("PodCompleted"),
            "Failed" => Some("PodFailed"),
            _ => Some("ContainersNotReady"),
        };
        states
            .map(|(name, holds)| {
                let known = self.conditions.entry(name).or_insert((holds, time));
                if known.0 != holds {
                    *known = (holds, time);
                }
                json!({
                    "type": name, "status": if holds { "True" } else { "False" },
                    "reason": reason.filter(|_| !holds && name.ends_with("Ready")),
                    "lastTransitionTime": seconds(known.1),
                })
            })
            .to_vec()
    }
}
