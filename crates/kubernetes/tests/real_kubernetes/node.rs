//! The node is lost with its pods.

use livius_kubernetes::{Phase, Seen};

use crate::Case;
use crate::world::World;

/// The controllers look for pods without a node every 20 seconds, and wait for 40 before they end
/// them. So this runs if `LIVIUS_TEST_WHOLE` is set.
pub const WHOLE: &[Case] = &[("a_lost_node_ends_its_pods", lost)];

const COMMAND: &str = "sleep 8642";

fn lost(world: &mut World) {
    world.create("b-15", COMMAND);
    let running = world.started("b-15");
    let mut follower = world.namespace.follow("b-15");
    world.until(&mut follower, |seen| seen.pod.is_some());

    world.cluster.lose_node();
    let seen = world.until(&mut follower, |seen| {
        let pod = seen.pod.as_ref();
        pod.is_some_and(|pod| pod.deleting)
    });
    let pod = seen.pod.unwrap();
    println!("the node is unreachable: {pod:?}");
    assert_eq!(pod.uid, running.uid);
    let cause = pod.disruption.as_deref();
    assert_eq!(
        cause,
        Some("DeletionByTaintManager: Taint manager: deleting due to NoExecute taint")
    );
    // Nothing ends the pod before its node says so.
    assert!(!pod.phase.is_final(), "{pod:?}");

    let node = format!("/api/v1/nodes/{}", pod.node.unwrap());
    assert_eq!(world.cluster.request("DELETE", &node, None).0, 200);
    let seen = world.until(&mut follower, Seen::is_absent);
    let last = seen.last.unwrap();
    println!("the node was deleted: {last:?}");
    assert_eq!(last.uid, running.uid);
    assert_eq!(last.phase, Phase::Failed);
    let cause = last.disruption.as_deref();
    assert_eq!(cause, Some("DeletionByPodGC: PodGC: node no longer exists"));

    world.cluster.bring_node_back();
    world.create("b-16", "true");
    assert_eq!(world.ended("b-16").phase, Phase::Succeeded);
    world.delete("b-16");
    // The node learns that the lost pod is gone, and ends it.
    world.eventually(|| async {
        let left = world.cluster.containers();
        let runs = left.iter().any(|command| command.contains(COMMAND));
        (!runs).then_some(()).ok_or(format!("{left:?}"))
    });
}
