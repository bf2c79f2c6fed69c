//! Events: what the node and the scheduler say about a pod.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use super::time::{micros, now, seconds};

/// A pod, by what never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    pub namespace: String,
    pub name: String,
    pub uid: String,
}

impl Subject {
    pub fn of(pod: &Pod) -> Self {
        Self {
            namespace: pod.namespace().unwrap_or_default(),
            name: pod.name_any(),
            uid: pod.uid().unwrap_or_default(),
        }
    }

    fn reference(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "namespace": self.namespace, "name": self.name, "uid": self.uid,
        })
    }
}

/// A pod's uid, a reason and a message. An event that says the same again is counted.
type Key = (String, &'static str, String);

pub struct Events {
    client: Client,
    node: String,
    /// The name and the count of each event.
    told: Mutex<HashMap<Key, (String, u32)>>,
}

impl Events {
    pub fn new(client: Client, node: &str) -> Self {
        Self {
            client,
            node: node.to_owned(),
            told: Mutex::default(),
        }
    }

    pub async fn normal(&self, pod: &Subject, reason: &'static str, message: &str) {
        self.tell(pod, "Normal", reason, message).await;
    }

    pub async fn warning(&self, pod: &Subject, reason: &'static str, message: &str) {
        self.tell(pod, "Warning", reason, message).await;
    }

    /// An event of the kubelet. An event that the API server does not take is lost, as it is with a
    /// real kubelet: a namespace that is being deleted takes none.
    async fn tell(&self, pod: &Subject, kind: &str, reason: &'static str, message: &str) {
        let (name, count) = self.counted(pod, reason, message);
        let time = seconds(now());
        if count > 1 {
            let patch = json!({"count": count, "lastTimestamp": time});
            let (events, parameters) = (self.api(pod), PatchParams::default());
            let _ = events.patch(&name, &parameters, &Patch::Merge(patch)).await;
            return;
        }
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"namespace": pod.namespace, "name": name},
            "involvedObject": pod.reference(),
            "type": kind, "reason": reason, "message": message, "count": 1,
            "firstTimestamp": time, "lastTimestamp": time,
            "source": {"component": "kubelet", "host": self.node},
            "reportingComponent": "kubelet", "reportingInstance": self.node,
        });
        self.create(pod, event).await;
    }

    /// An event of the scheduler. It has the newer form, with one time and no count.
    pub async fn scheduler(&self, pod: &Subject, kind: &str, reason: &'static str, message: &str) {
        let (name, count) = self.counted(pod, reason, message);
        if count > 1 {
            return;
        }
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"namespace": pod.namespace, "name": name},
            "involvedObject": pod.reference(),
            "type": kind, "reason": reason, "message": message,
            "eventTime": micros(now()), "action": "Scheduling",
            "reportingComponent": "default-scheduler",
            "reportingInstance": format!("default-scheduler-{}", self.node),
        });
        self.create(pod, event).await;
    }

    fn counted(&self, pod: &Subject, reason: &'static str, message: &str) -> (String, u32) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let number = told.len();
        let key = (pod.uid.clone(), reason, message.to_owned());
        let (name, count) = told
            .entry(key)
            .or_insert_with(|| (format!("{}.{number:x}.{}", pod.name, pod.uid), 0));
        *count += 1;
        (name.clone(), *count)
    }

    fn api(&self, pod: &Subject) -> Api<Event> {
        Api::namespaced(self.client.clone(), &pod.namespace)
    }

    async fn create(&self, pod: &Subject, event: Value) {
        let event: Event = serde_json::from_value(event).unwrap();
        let _ = self.api(pod).create(&PostParams::default(), &event).await;
    }
}
