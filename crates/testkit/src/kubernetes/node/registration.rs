//! What the cluster knows about its nodes.
//!
//! There are two: the one that runs pods, and a spare one that takes none. Without a node that is
//! ready, the controllers would take all nodes for lost, and would end no pods.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

use super::quantity::Amounts;
use super::time::{micros, now, seconds};

/// The node that runs pods.
pub const NODE: &str = "livius-node";

const SPARE: &str = "spare-node";

/// The room for pods, on paper: 8 processors and 16 GiB.
pub const CAPACITY: Amounts = Amounts {
    millicores: 8000.0,
    memory: 17_179_869_184.0,
};

/// The pause after a request that the API server did not take.
const RETRY: Duration = Duration::from_millis(200);

/// The labels of a node.
pub fn labels(node: &str) -> BTreeMap<String, String> {
    [
        ("kubernetes.io/hostname", node),
        ("kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", "amd64"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// Makes both nodes, which are ready then. `port` is the one of the kubelet.
pub async fn register(client: &Client, port: u16) {
    let nodes: Api<Node> = Api::all(client.clone());
    for name in [NODE, SPARE] {
        let node = object(name);
        nodes.create(&PostParams::default(), &node).await.unwrap();
    }
    report(client, port, true).await;
    report_one(client, SPARE, port, true).await;
}

/// Makes the node that runs pods, if somebody has deleted it. It is ready then.
pub async fn register_again(client: &Client, port: u16) {
    let nodes: Api<Node> = Api::all(client.clone());
    while nodes.get_opt(NODE).await.is_ok_and(|found| found.is_none()) {
        // Another attempt follows if the API server did not take it.
        let _ = nodes.create(&PostParams::default(), &object(NODE)).await;
    }
    renew(client).await;
    report(client, port, true).await;
}

fn object(name: &str) -> Node {
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": labels(name)},
        "spec": {"unschedulable": name == SPARE},
    }))
    .unwrap()
}

/// Reports whether the node that runs pods is ready.
pub async fn report(client: &Client, port: u16, ready: bool) {
    report_one(client, NODE, port, ready).await;
}

async fn report_one(client: &Client, name: &str, port: u16, ready: bool) {
    let room = json!({
        "cpu": format!("{}m", CAPACITY.millicores),
        "memory": format!("{}", CAPACITY.memory),
        "pods": "250",
    });
    let time = seconds(now());
    let (state, reason) = if ready {
        ("True", "KubeletReady")
    } else {
        ("False", "KubeletNotReady")
    };
    let patch = Patch::Strategic(json!({"status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "capacity": room, "allocatable": room,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "conditions": [{
            "type": "Ready", "status": state, "reason": reason,
            "message": if ready { "" } else { "container runtime is down" },
            "lastHeartbeatTime": time, "lastTransitionTime": time,
        }],
    }}));
    let nodes: Api<Node> = Api::all(client.clone());
    while nodes
        .patch_status(name, &PatchParams::default(), &patch)
        .await
        .is_err()
    {
        tokio::time::sleep(RETRY).await;
    }
}

/// Says that the node that runs pods lives.
pub async fn renew(client: &Client) {
    renew_one(client, NODE).await;
}

/// Says that the spare node lives.
pub async fn renew_spare(client: &Client) {
    renew_one(client, SPARE).await;
}

async fn renew_one(client: &Client, name: &str) {
    let leases: Api<Lease> = Api::namespaced(client.clone(), "kube-node-lease");
    let parameters = PatchParams::apply("kubelet").force();
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": name},
        "spec": {
            "holderIdentity": name, "leaseDurationSeconds": 40,
            "renewTime": micros(now()),
        },
    });
    // The next one follows soon.
    let _ = leases.patch(name, &parameters, &Patch::Apply(lease)).await;
}
