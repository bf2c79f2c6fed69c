//! Pods that run, wait and end.

use std::time::Duration;

use livius_kubernetes::{ContainerState, Phase};
use serde_json::json;

use crate::Case;
use crate::world::{MAIN, OURS, World, pod, state};

pub const CASES: &[Case] = &[
    ("a_pod_that_ends_with_an_exit_code", exits),
    ("a_pod_that_no_node_takes", unschedulable),
    ("a_pod_without_its_image", no_image),
    ("a_pod_that_is_evicted", evicted),
    ("a_pod_that_somebody_deletes", deleted),
    ("two_servers_in_one_namespace", two_servers),
];

fn exits(world: &mut World) {
    let mut follower = world.namespace.follow("b-1");
    let seen = world.wait(follower.refreshed()).unwrap();
    assert!(seen.is_absent());
    for (driver, command, code, phase) in [
        ("b-1", "exit 3", 3, Phase::Failed),
        ("b-2", "true", 0, Phase::Succeeded),
    ] {
        let created = world.create(driver, command);
        let ended = world.ended(driver);
        assert_eq!(ended.phase, phase);
        assert_eq!(ended.uid, created["metadata"]["uid"]);
        assert_eq!(ended.app, Some(format!("spark-{driver}")));
        let Some(ContainerState::Terminated {
            exit_code,
            finished,
            ..
        }) = state(&ended)
        else {
            panic!("{ended:?}");
        };
        assert_eq!(*exit_code, code);
        assert!(*finished >= ended.created);
        assert_eq!(world.wait(world.namespace.find(driver)).unwrap(), [ended]);
    }
    let drivers = world.wait(world.namespace.drivers()).unwrap();
    assert_eq!(drivers, ["b-1", "b-2"]);
    world.delete("b-1");
    world.delete("b-2");
    let seen = world.wait(follower.refreshed()).unwrap();
    assert!(seen.is_absent());
    assert!(seen.last.unwrap().phase.is_final());
}

fn unschedulable(world: &mut World) {
    world.create_changed("b-3", "true", |pod| {
        pod["spec"]["containers"][0]["resources"] = json!({"requests": {"memory": "9000Gi"}});
    });
    let mut follower = world.namespace.follow("b-3");
    let seen = world.until(&mut follower, |seen| {
        let pod = seen.pod.as_ref();
        pod.is_some_and(|pod| pod.unscheduled.is_some())
    });
    let pod = seen.pod.unwrap();
    assert_eq!(
        (pod.phase.clone(), pod.node.clone()),
        (Phase::Pending, None)
    );
    let reason = pod.unscheduled.clone().unwrap();
    assert!(reason.contains("memory"), "{reason}");
    let notices = world.eventually(|| async {
        let notices = world
            .namespace
            .events(&pod)
            .await
            .map_err(|error| error.to_string())?;
        let failed = notices
            .iter()
            .any(|notice| notice.reason == "FailedScheduling");
        failed.then_some(notices).ok_or("no event".to_owned())
    });
    assert!(notices.iter().any(|notice| notice.is_warning));
    world.delete("b-3");
}

fn no_image(world: &mut World) {
    world.create_changed("b-4", "true", |pod| {
        pod["spec"]["containers"][0]["image"] = json!("livius.test/none:1");
    });
    let mut follower = world.namespace.follow("b-4");
    let seen = world.until(&mut follower, |seen| {
        let pod = seen.pod.as_ref();
        let waiting = pod.and_then(|pod| match state(pod)? {
            ContainerState::Waiting { reason, .. } => reason.as_deref(),
            _ => None,
        });
        waiting.is_some_and(|reason| ["ErrImagePull", "ImagePullBackOff"].contains(&reason))
    });
    let container = seen.pod.unwrap().container(MAIN).unwrap().clone();
    assert_eq!(container.image, "livius.test/none:1");
    world.delete("b-4");
}

fn evicted(world: &mut World) {
    world.create("b-5", "sleep 8765");
    let running = world.started("b-5");
    world.cluster.evict(&running.namespace, &running.name);
    let ended = world.ended("b-5");
    assert_eq!(ended.phase, Phase::Failed);
    assert_eq!(ended.reason.as_deref(), Some("Evicted"));
    assert!(ended.message.is_some());
    world.delete("b-5");
}

fn deleted(world: &mut World) {
    world.create("b-6", "sleep 8765");
    let running = world.started("b-6");
    let mut follower = world.namespace.follow("b-6");
    world.until(&mut follower, |seen| seen.pod.is_some());
    world.cluster.drain(&running.namespace, &running.name);
    let seen = world.until(&mut follower, livius_kubernetes::Seen::is_absent);
    let last = seen.last.unwrap();
    assert_eq!(last.uid, running.uid);
    assert!(last.deleting, "{last:?}");
    assert_eq!(
        world.wait(world.namespace.delete("b-6", Duration::ZERO)),
        Ok(0)
    );
}

fn two_servers(world: &mut World) {
    let other_id = "0e0e0e0e0e0e0e0e";
    let other = world.open(&world.access(), other_id).unwrap();
    world.create("b-7", "sleep 8765");
    let theirs = pod("theirs", other_id, "b-7", "sleep 8765");
    let pods = format!("/api/v1/namespaces/{}/pods", crate::world::SPACE);
    world.cluster.create(&pods, &theirs);
    let ours = world.wait(world.namespace.find("b-7")).unwrap();
    assert_eq!(ours.len(), 1);
    world.delete("b-7");
    let left = world.wait(other.find("b-7")).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].name, "theirs");
    assert!(!left[0].deleting);
    assert!(
        !world
            .wait(world.namespace.drivers())
            .unwrap()
            .contains(&"b-7".to_owned())
    );
    assert_eq!(world.wait(other.drivers()).unwrap(), ["b-7"]);
    assert_ne!(OURS, other_id);
    world
        .wait(other.delete("b-7", Duration::from_secs(1)))
        .unwrap();
    world.eventually(|| async {
        let left = other.find("b-7").await.map_err(|error| error.to_string())?;
        left.is_empty().then_some(()).ok_or(format!("{left:?}"))
    });
}
