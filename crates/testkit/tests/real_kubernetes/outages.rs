//! Outages of the API server and of the node.

use serde_json::{Value, json};

use crate::Case;
use crate::world::{World, eventually, state};

pub const CASES: &[Case] = &[
    ("a_pod_outlives_the_api_server", api_server),
    ("a_node_that_is_not_ready_loses_its_pods", node),
];

fn api_server(world: &mut World) {
    world.run("outlives", "echo up; sleep 3470; true", &Value::Null);
    // The first process is a shell, which waits for the file.
    world.run(
        "ends-alone",
        "echo up; until test -e /tmp/end; do sleep 0.2; done; exit 5",
        &json!({"volumes": [{"name": "tmp", "emptyDir": {}}],
                "containers": [{"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}]}),
    );
    let ending = world.until_phase("ends-alone", "Running");
    world.until_runs("sleep 3470", true);
    world.cluster.kill_api_server();
    assert_eq!(world.cluster.request("GET", "/readyz", None).0, 0);
    let uid = ending["metadata"]["uid"].as_str().unwrap();
    let file = world
        .cluster
        .root()
        .join(format!("pods/{uid}/volumes/tmp/end"));
    std::fs::write(file, "").unwrap();
    world.until_runs(
        "/bin/bash -c echo up; until test -e /tmp/end; do sleep 0.2; done; exit 5",
        false,
    );
    world.cluster.restart_api_server();
    world.until_runs("sleep 3470", true);
    let pod = world.until_phase("ends-alone", "Failed");
    assert_eq!(state(&pod)["terminated"]["exitCode"], 5);
    assert_eq!(world.log("outlives", ""), "up\n");
    world.delete("outlives", 1);
    world.delete("ends-alone", 0);
    world.run("after", "true", &Value::Null);
    world.until_phase("after", "Succeeded");
    world.delete("after", 0);
}

fn node(world: &mut World) {
    world.run(
        "lost",
        "trap 'sleep 1; exit 1' TERM; sleep 3471 & wait",
        &Value::Null,
    );
    world.until_runs("sleep 3471", true);
    world.cluster.set_node_ready(false);
    let reason = eventually("the pod is disrupted", || {
        let pod = world.pod("lost").ok_or("it is gone, and said no reason")?;
        let conditions = pod["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let found = conditions
            .into_iter()
            .find(|condition| condition["type"] == "DisruptionTarget");
        found
            .map(|condition| condition["reason"].clone())
            .ok_or(pod["status"].to_string())
    });
    assert_eq!(reason, "DeletionByTaintManager");
    world.until_gone("lost");
    world.run("waits-for-node", "true", &Value::Null);
    let message = world.until_event("waits-for-node", "FailedScheduling");
    assert!(message.contains("untolerated taint"), "{message}");
    world.cluster.set_node_ready(true);
    world.until_phase("waits-for-node", "Succeeded");
    world.delete("waits-for-node", 0);
}
