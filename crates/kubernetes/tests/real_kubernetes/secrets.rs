//! Secrets, which the API server keeps and the node mounts.

use std::collections::BTreeMap;

use livius_kubernetes::{KubernetesError, secret_name};
use serde_json::json;

use crate::Case;
use crate::world::{MAIN, SPACE, World};

pub const CASES: &[Case] = &[
    ("files_reach_the_container_and_go_with_the_pod", mounted),
    ("a_secret_of_the_greatest_size", greatest),
];

fn files(text: &[u8]) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([("launch.json".to_owned(), text.to_owned())])
}

fn mounted(world: &mut World) {
    let put = |text: &[u8]| {
        world
            .wait(world.namespace.put_secret("b-11", files(text)))
            .unwrap();
    };
    put(b"an earlier one");
    put(b"hello \xff");
    // A node tells a line when it ends.
    world.create_changed(
        "b-11",
        "cat /opt/livius/launch.json; echo; sleep 8765",
        |pod| {
            let secret = secret_name("b-11");
            pod["spec"]["volumes"] = json!([{"name": "livius", "secret": {"secretName": secret}}]);
            pod["spec"]["containers"][0]["volumeMounts"] =
                json!([{"name": "livius", "mountPath": "/opt/livius"}]);
        },
    );
    let running = world.started("b-11");
    let lines = world.eventually(|| async {
        use futures_util::StreamExt as _;
        let log = world.namespace.log(&running, MAIN, None, false).await;
        let log = log.map_err(|error| error.to_string())?;
        let lines: Vec<_> = log.map(Result::unwrap).collect().await;
        (!lines.is_empty())
            .then_some(lines)
            .ok_or("no line".to_owned())
    });
    assert_eq!(lines[0].text, b"hello \xff");

    for _ in 0..2 {
        world
            .wait(world.namespace.give_secret("b-11", &running))
            .unwrap();
    }
    let path = format!("/api/v1/namespaces/{SPACE}/secrets/{}", secret_name("b-11"));
    let secret = world.cluster.get(&path).unwrap();
    assert_eq!(secret["metadata"]["ownerReferences"][0]["uid"], running.uid);
    // Somebody deletes the pod, and Kubernetes removes its secret.
    world.cluster.drain(SPACE, &running.name);
    world.eventually(|| async {
        let left = world
            .namespace
            .drivers()
            .await
            .map_err(|error| error.to_string())?;
        (!left.contains(&"b-11".to_owned()))
            .then_some(())
            .ok_or(format!("{left:?}"))
    });
}

fn greatest(world: &mut World) {
    let all = vec![b'x'; 1 << 20];
    world
        .wait(world.namespace.put_secret("b-12", files(&all)))
        .unwrap();
    let drivers = world.wait(world.namespace.drivers()).unwrap();
    assert!(drivers.contains(&"b-12".to_owned()));
    world.delete("b-12");
    let more = vec![b'x'; 1 + (1 << 20)];
    let error = world
        .wait(world.namespace.put_secret("b-12", files(&more)))
        .unwrap_err();
    assert!(matches!(error, KubernetesError::Invalid { .. }), "{error}");
    let drivers = world.wait(world.namespace.drivers()).unwrap();
    assert!(!drivers.contains(&"b-12".to_owned()));
}
