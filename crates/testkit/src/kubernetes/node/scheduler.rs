//! Chooses the node for a pod, or says why there is none.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodSpec};
use kube::ResourceExt as _;
use serde_json::{Value, json};

use super::quantity::Amounts;
use super::time::{now, seconds};

/// The node as the scheduler sees it.
pub struct Place<'a> {
    pub labels: &'a BTreeMap<String, String>,
    pub ready: bool,
}

/// Tells whether a pod waits for a node.
pub fn is_waiting(pod: &Pod) -> bool {
    let Some(spec) = &pod.spec else { return false };
    let for_us = spec
        .scheduler_name
        .as_deref()
        .unwrap_or("default-scheduler")
        == "default-scheduler";
    let gated = spec
        .scheduling_gates
        .as_ref()
        .is_some_and(|gates| !gates.is_empty());
    spec.node_name.is_none() && for_us && !gated && pod.metadata.deletion_timestamp.is_none()
}

/// The amounts that a pod takes from its node.
pub fn taken(pod: &Pod) -> Amounts {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    if matches!(phase, Some("Succeeded" | "Failed")) {
        return Amounts::default();
    }
    pod.spec.as_ref().map(Amounts::of).unwrap_or_default()
}

/// Judges the place of a pod. The error is the message of the scheduler.
///
/// The cluster has a second node that takes no pods, so the numbers of the message are of two.
pub fn judge(pod: &Pod, place: &Place<'_>, free: Amounts) -> Result<(), String> {
    let empty = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&empty);
    let wanted = Amounts::of(spec);
    let selector = spec.node_selector.iter().flatten();
    let selected = selector
        .into_iter()
        .all(|(key, value)| place.labels.get(key) == Some(value));
    let claim = spec.volumes.iter().flatten().find_map(|volume| {
        let claim = volume.persistent_volume_claim.as_ref()?;
        Some(&claim.claim_name)
    });
    let problem = if let Some(claim) = claim {
        // No controller here binds claims to volumes.
        return Err(format!(
            "0/2 nodes are available: persistentvolumeclaim {claim:?} not found. not found"
        ));
    } else if !place.ready {
        "1 node(s) had untolerated taint(s)"
    } else if !selected {
        "1 node(s) didn't match Pod's node affinity/selector"
    } else if wanted.memory > free.memory && wanted.millicores > free.millicores {
        "1 Insufficient cpu, 1 Insufficient memory"
    } else if wanted.memory > free.memory {
        "1 Insufficient memory"
    } else if wanted.millicores > free.millicores {
        "1 Insufficient cpu"
    } else {
        return Ok(());
    };
    Err(format!(
        "0/2 nodes are available: {problem}, 1 node(s) were unschedulable. no new claims to \
         deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    ))
}

/// Tells whether the pod says already that it cannot be scheduled, and why.
pub fn says(pod: &Pod, message: &str) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| {
        condition.type_ == "PodScheduled" && condition.message.as_deref() == Some(message)
    })
}

/// A patch of the pod's status.
pub fn unschedulable(pod: &Pod, message: &str) -> Value {
    json!({
        "metadata": {"uid": pod.uid()},
        "status": {"conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": message, "lastTransitionTime": seconds(now()),
        }]},
    })
}

/// The object that gives a pod its node.
pub fn binding(pod: &Pod, node: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Binding",
        "metadata": {"namespace": pod.namespace(), "name": pod.name_any(), "uid": pod.uid()},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_waits_until_the_node_has_room_and_fits() {
        let labels = BTreeMap::from([("disk".to_owned(), "fast".to_owned())]);
        let capacity = Amounts {
            millicores: 2000.0,
            memory: 1024.0,
        };
        let place = |ready| Place {
            labels: &labels,
            ready,
        };
        let judged = |cpu: &str, memory: &str, disk: &str, ready| {
            let pod = serde_json::from_value(json!({"spec": {
                "nodeSelector": {"disk": disk},
                "containers": [{"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}}],
            }}))
            .unwrap();
            judge(&pod, &place(ready), capacity)
        };
        assert_eq!(judged("2", "1Ki", "fast", true), Ok(()));
        for (result, part) in [
            (judged("2001m", "1", "fast", true), "1 Insufficient cpu"),
            (judged("1", "1025", "fast", true), "1 Insufficient memory"),
            (judged("1", "1", "slow", true), "didn't match"),
            (judged("1", "1", "fast", false), "untolerated taint"),
        ] {
            let message = result.unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }
}
