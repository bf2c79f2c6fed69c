//! Pods that are ended.

use std::time::Instant;

use serde_json::{Value, json};

use crate::Case;
use crate::world::{World, state};

pub const CASES: &[Case] = &[
    ("a_signal_ends_a_container", signal),
    ("too_much_memory", out_of_memory),
    ("a_deleted_pod_gets_its_grace", graceful),
    ("a_deleted_pod_that_ignores_the_signal_is_killed", stubborn),
    ("a_pod_that_is_removed_leaves_no_process", removed),
    ("an_evicted_pod", evicted),
    ("a_drained_pod", drained),
    ("a_pod_with_a_deadline", overdue),
    ("a_pod_deleted_before_it_starts", never_started),
];

fn signal(world: &mut World) {
    // The first process of a container is safe from its own signals.
    world.run(
        "signal",
        "bash -c 'kill -SEGV $BASHPID'; exit $?",
        &Value::Null,
    );
    let pod = world.until_phase("signal", "Failed");
    assert_eq!(state(&pod)["terminated"]["exitCode"], 139);
    world.delete("signal", 0);
}

fn out_of_memory(world: &mut World) {
    let extra = json!({"containers": [{"resources": {"limits": {"memory": "100Mi"}}}]});
    // `tail` keeps a line without end in its memory.
    world.run(
        "memory",
        "(head -c 400M /dev/zero; sleep 100) | tail",
        &extra,
    );
    let pod = world.until_phase("memory", "Failed");
    let ended = &state(&pod)["terminated"];
    assert_eq!(ended["reason"], "OOMKilled");
    assert_eq!(ended["exitCode"], 137);
    world.delete("memory", 0);
}

fn graceful(world: &mut World) {
    let script = "trap 'echo asked to end; sleep 0.2; exit 9' TERM; echo up; sleep 3456 & wait";
    world.run("graceful", script, &Value::Null);
    world.until_runs("sleep 3456", true);
    let path = World::path("graceful");
    let follow = format!("{path}/log?follow=true");
    let log = std::thread::scope(|scope| {
        let log = scope.spawn(|| world.cluster.request("GET", &follow, None).1);
        world.delete("graceful", 60);
        log.join().unwrap()
    });
    assert_eq!(log, "up\nasked to end\n");
    world.until_event("graceful", "Killing");
    world.until_runs("sleep 3456", false);
}

fn stubborn(world: &mut World) {
    // The first process of a container ignores signals that it does not handle.
    world.run("stubborn", "echo up; sleep 3457; true", &Value::Null);
    world.until_runs("sleep 3457", true);
    let begun = Instant::now();
    world.delete("stubborn", 2);
    assert!(begun.elapsed().as_secs() >= 2);
    world.until_runs("sleep 3457", false);
}

fn removed(world: &mut World) {
    // A process that has left its group and its session belongs to the container still.
    world.run(
        "removed",
        "setsid sleep 3458 & sleep 3459; true",
        &Value::Null,
    );
    for command in ["sleep 3458", "sleep 3459"] {
        world.until_runs(command, true);
    }
    world.delete("removed", 0);
    for command in ["sleep 3458", "sleep 3459"] {
        world.until_runs(command, false);
    }
}

fn evicted(world: &mut World) {
    world.run("evicted", "echo up; sleep 3460; true", &Value::Null);
    world.until_runs("sleep 3460", true);
    world.cluster.evict("kit", "evicted");
    let pod = world.until_phase("evicted", "Failed");
    let status = &pod["status"];
    assert_eq!(status["reason"], "Evicted");
    let message = status["message"].as_str().unwrap();
    assert!(
        message.starts_with("The node was low on resource: memory"),
        "{message}"
    );
    assert_eq!(state(&pod)["terminated"]["exitCode"], 137);
    assert_eq!(disruption(&pod)["reason"], "TerminationByKubelet");
    world.until_event("evicted", "Evicted");
    assert_eq!(world.log("evicted", ""), "up\n");
    world.delete("evicted", 0);
}

fn disruption(pod: &Value) -> Value {
    let conditions = pod["status"]["conditions"].as_array().unwrap().iter();
    let mut found = conditions.filter(|condition| condition["type"] == "DisruptionTarget");
    found.next().cloned().unwrap_or_default()
}

fn drained(world: &mut World) {
    let script = "trap 'sleep 1; exit 0' TERM; sleep 3461 & wait";
    world.run("drained", script, &Value::Null);
    world.until_runs("sleep 3461", true);
    world.cluster.drain("kit", "drained");
    let pod = world.until("drained", "disrupted", |pod| {
        !pod["metadata"]["deletionTimestamp"].is_null()
    });
    assert_eq!(disruption(&pod)["reason"], "EvictionByEvictionAPI");
    world.until_gone("drained");
    world.until_runs("sleep 3461", false);
}

fn overdue(world: &mut World) {
    let extra = json!({"activeDeadlineSeconds": 1, "terminationGracePeriodSeconds": 1});
    world.run("overdue", "sleep 3462; true", &extra);
    let pod = world.until_phase("overdue", "Failed");
    assert_eq!(pod["status"]["reason"], "DeadlineExceeded");
    world.until_runs("sleep 3462", false);
    world.delete("overdue", 0);
}

fn never_started(world: &mut World) {
    let extra = json!({
        "volumes": [{"name": "never", "secret": {"secretName": "never"}}],
        "containers": [{"volumeMounts": [{"name": "never", "mountPath": "/never"}]}],
    });
    world.run("unborn", "true", &extra);
    world.until_event("unborn", "FailedMount");
    world.delete("unborn", 30);
}
