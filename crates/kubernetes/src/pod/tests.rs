use serde_json::{Value, json};

use super::*;
use crate::text::{LONGEST_MESSAGE, LONGEST_NAME};

const DRIVER: &str = "spark-kubernetes-driver";

/// A pod with a driver's container, as Spark makes it, in some status.
fn pod(status: &Value) -> DriverPod {
    read(json!({
        "metadata": {
            "name": "livius-b-1", "namespace": "spark", "uid": "0f1e",
            "creationTimestamp": "2026-11-30T14:02:12Z",
            "labels": {
                "livius/driver": "b-1", "livius/server": "5e", "spark-role": "driver",
                "spark-app-selector": "spark-f00", "team": "x"
            },
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [
                {
                    "name": DRIVER, "image": "spark:4.1.4",
                    "resources": {"limits": {"cpu": "1", "memory": "1408Mi"}}
                },
                {"name": "sidecar", "image": "proxy:1"}
            ],
        },
        "status": status,
    }))
}

fn read(pod: Value) -> DriverPod {
    DriverPod::read(serde_json::from_value(pod).unwrap())
}

/// A pod whose driver's container has a state.
fn in_state(phase: &str, state: &Value) -> DriverPod {
    pod(&json!({
        "phase": phase,
        "containerStatuses": [
            {
                "name": "sidecar", "image": "", "imageID": "", "ready": false, "restartCount": 2,
                "state": {},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
            },
            {
                "name": DRIVER, "image": "", "imageID": "", "ready": false, "restartCount": 0,
                "state": state
            }
        ],
    }))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_pod_that_nothing_was_done_with() {
    let read = pod(&json!({"phase": "Pending"}));
    let container = |name: &str, image: &str, limit: Option<&str>| ContainerStatus {
        name: name.to_owned(),
        is_init: false,
        image: image.to_owned(),
        memory_limit: limit.map(str::to_owned),
        state: None,
        last_end: None,
        restarts: 0,
    };
    let expected = DriverPod {
        name: "livius-b-1".to_owned(),
        namespace: "spark".to_owned(),
        uid: "0f1e".to_owned(),
        driver: "b-1".to_owned(),
        app: Some("spark-f00".to_owned()),
        containers: vec![
            container(DRIVER, "spark:4.1.4", Some("1408Mi")),
            container("sidecar", "proxy:1", None),
        ],
        node: Some("node-1".to_owned()),
        created: Some(at("2026-11-30T14:02:12Z")),
        ..DriverPod::default()
    };
    assert_eq!(read, expected);
}

#[test]
fn phases() {
    let cases = [
        ("Pending", Phase::Pending, false),
        ("Running", Phase::Running, false),
        ("Succeeded", Phase::Succeeded, true),
        ("Failed", Phase::Failed, true),
        ("Unknown", Phase::Unknown, false),
        ("Resting", Phase::Other("Resting".to_owned()), false),
    ];
    for (text, phase, is_final) in cases {
        let read = pod(&json!({"phase": text})).phase;
        assert_eq!((read.is_final(), read), (is_final, phase));
    }
    assert_eq!(pod(&Value::Null).phase, Phase::Pending);
}

#[test]
fn states_of_a_container() {
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (
            "Pending",
            json!({"waiting": {
                "reason": "ImagePullBackOff",
                "message": "Back-off pulling image \"spark:none\""
            }}),
            Some(ContainerState::Waiting {
                reason: text("ImagePullBackOff"),
                message: text("Back-off pulling image \"spark:none\""),
            }),
        ),
        (
            "Pending",
            json!({"waiting": {"reason": "ContainerCreating"}}),
            Some(ContainerState::Waiting {
                reason: text("ContainerCreating"),
                message: None,
            }),
        ),
        (
            "Running",
            json!({"running": {"startedAt": "2026-11-30T14:02:15Z"}}),
            Some(ContainerState::Running {
                started: Some(at("2026-11-30T14:02:15Z")),
            }),
        ),
        (
            "Failed",
            json!({"terminated": {
                "exitCode": 3, "reason": "Error", "startedAt": "2026-11-30T14:02:15Z",
                "finishedAt": "2026-11-30T14:03:00Z", "message": "the end of the log"
            }}),
            Some(ContainerState::Terminated {
                exit_code: 3,
                signal: None,
                reason: text("Error"),
                message: text("the end of the log"),
                started: Some(at("2026-11-30T14:02:15Z")),
                finished: Some(at("2026-11-30T14:03:00Z")),
            }),
        ),
        (
            "Failed",
            json!({"terminated": {
                "exitCode": 137, "signal": 9, "reason": "OOMKilled",
                "startedAt": null, "finishedAt": "1970-01-01T00:00:00Z"
            }}),
            Some(ContainerState::Terminated {
                exit_code: 137,
                signal: Some(9),
                reason: text("OOMKilled"),
                message: None,
                started: None,
                finished: None,
            }),
        ),
        ("Running", json!({}), None),
    ];
    for (phase, state, expected) in cases {
        let read = in_state(phase, &state);
        assert_eq!(read.container(DRIVER).unwrap().state, expected, "{state}");
    }
}

#[test]
fn a_container_that_was_restarted_tells_its_last_end() {
    let read = in_state("Running", &json!({}));
    let sidecar = read.container("sidecar").unwrap();
    assert_eq!(sidecar.restarts, 2);
    assert!(matches!(
        &sidecar.last_end,
        Some(ContainerState::Terminated { exit_code: 137, reason: Some(reason), .. })
            if reason == "OOMKilled"
    ));
    assert_eq!(read.container("other"), None);
}

#[test]
fn why_a_pod_waits_or_ends_by_the_cluster() {
    let unschedulable = pod(&json!({"phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 Insufficient memory."
    }]}));
    assert_eq!(
        unschedulable.unscheduled.as_deref(),
        Some("0/1 nodes are available: 1 Insufficient memory.")
    );
    let gated = pod(&json!({"conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
    ]}));
    assert_eq!(gated.unscheduled.as_deref(), Some("SchedulingGated"));

    let evicted = pod(&json!({
        "phase": "Failed", "reason": "Evicted",
        "message": "The node was low on resource: memory. ",
        "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {
                "type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet",
                "message": "The node was low on resource: memory. "
            }
        ]
    }));
    assert_eq!(evicted.reason.as_deref(), Some("Evicted"));
    assert_eq!(
        evicted.message.as_deref(),
        Some("The node was low on resource: memory.")
    );
    assert_eq!(
        evicted.disruption.as_deref(),
        Some("TerminationByKubelet: The node was low on resource: memory.")
    );
    assert_eq!(evicted.unscheduled, None);

    let late = pod(&json!({
        "phase": "Failed", "reason": "DeadlineExceeded",
        "message": "Pod was active on the node longer than the specified deadline"
    }));
    assert_eq!(late.reason.as_deref(), Some("DeadlineExceeded"));
    assert_eq!(late.disruption, None);
}

#[test]
fn a_pod_that_is_being_deleted_still_has_its_containers() {
    let read = read(json!({
        "metadata": {
            "name": "p", "deletionTimestamp": "2026-11-30T14:04:00Z",
            "deletionGracePeriodSeconds": 30
        },
        "spec": {
            "initContainers": [{"name": "prepare"}],
            "containers": [{"name": "main"}]
        },
        "status": {
            "phase": "Running", "podIP": "10.1.2.3", "startTime": "2026-11-30T14:02:13Z",
            "initContainerStatuses": [{
                "name": "prepare", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}
            }]
        }
    }));
    assert!(read.deleting);
    assert_eq!(read.ip.as_deref(), Some("10.1.2.3"));
    assert_eq!(read.started, Some(at("2026-11-30T14:02:13Z")));
    let names = read
        .containers
        .iter()
        .map(|one| (one.name.as_str(), one.is_init));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [("prepare", true), ("main", false)]
    );
}

#[test]
fn everything_has_a_limit() {
    let long = "x".repeat(100_000);
    let containers: Vec<Value> = (0..1_000)
        .map(|number| json!({"name": format!("{number}{long}"), "image": long}))
        .collect();
    let statuses: Vec<Value> = (0..1_000)
        .map(|number| {
            json!({
                "name": format!("{number}{long}"), "image": "", "imageID": "", "ready": false,
                "restartCount": -1,
                "state": {"waiting": {"reason": long, "message": format!("\u{1b}[31m{long}")}}
            })
        })
        .collect();
    let read = read(json!({
        "metadata": {
            "name": long, "namespace": long, "uid": long,
            "labels": {"livius/driver": long, "spark-app-selector": long}
        },
        "spec": {"nodeName": long, "containers": containers},
        "status": {
            "phase": long, "reason": long, "message": long, "podIP": long,
            "containerStatuses": statuses,
            "conditions": [
                {"type": "PodScheduled", "status": "False", "message": long},
                {"type": "DisruptionTarget", "status": "True", "reason": long, "message": long}
            ]
        }
    }));
    let cut = "…".len();
    assert_eq!(read.containers.len(), MOST_CONTAINERS);
    assert!(read.name.len() <= LONGEST_NAME + cut);
    assert!(read.driver.len() <= LONGEST_NAME + cut);
    assert_eq!(read.containers[7].restarts, 0);
    let Some(ContainerState::Waiting { message, .. }) = &read.containers[7].state else {
        panic!("{:?}", read.containers[7].state);
    };
    assert!(!message.as_ref().unwrap().contains('\u{1b}'));
    let bytes = format!("{read:?}").len();
    let most = (MOST_CONTAINERS + 4) * (LONGEST_MESSAGE + 4 * LONGEST_NAME);
    assert!(bytes < most, "{bytes} bytes");
}
