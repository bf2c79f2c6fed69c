//! The deletion of everything that a driver has, and of nothing else.

use std::time::Duration;

use serde_json::json;

use crate::server::status;
use crate::world::{OTHER, OURS, World, executor, files, kind, pod};

const GRACE: Duration = Duration::from_secs(7);

#[tokio::test]
async fn a_driver_goes_with_its_executors_and_its_secret() {
    let (world, _watch) = World::resting().await;
    world.put_pod("b-1", "Running");
    for number in 0..30 {
        let one = executor(&format!("executor-{number}"), OURS, "b-1");
        world.state.change(|store| store.put("pods", one));
    }
    world.namespace.put_secret("b-1", files("x")).await.unwrap();
    world.namespace.put_secret("b-2", files("x")).await.unwrap();
    for other in [
        pod("theirs", OTHER, "b-1", "Running"),
        pod("another", OURS, "b-2", "Running"),
    ] {
        world.state.change(|store| store.put("pods", other));
    }
    let theirs = json!({
        "metadata": {"name": "theirs", "labels": {"livius/server": OTHER, "livius/driver": "b-1"}}
    });
    world.state.change(|store| store.put("secrets", theirs));

    assert_eq!(world.namespace.delete("b-1", GRACE).await.unwrap(), 31);
    let left = |resource: &str| {
        let left = world.state.store().select(resource, &[]);
        let names = left
            .iter()
            .map(|one| one["metadata"]["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(left("pods"), ["another", "theirs"]);
    assert_eq!(left("secrets"), ["livius-b-2", "theirs"]);
    let asked = world.state.asked();
    let deleted = asked
        .iter()
        .find(|asked| asked.line() == "DELETE /pods/livius-b-1");
    let body = &deleted.unwrap().body;
    assert_eq!(body["gracePeriodSeconds"], 7);
    assert_eq!(body["preconditions"]["uid"], "uid-of-livius-b-1");
    assert_eq!(world.namespace.delete("b-1", GRACE).await.unwrap(), 0);
}

#[tokio::test]
async fn what_goes_by_itself_in_the_meantime_is_no_failure() {
    let (world, _watch) = World::resting().await;
    world.put_pod("b-1", "Running");
    world.namespace.put_secret("b-1", files("x")).await.unwrap();
    for code in [404, 409] {
        world
            .state
            .fault(move |asked| (asked.method == "DELETE").then(|| status(code, "gone")));
        assert_eq!(world.namespace.delete("b-1", GRACE).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_failure_is_told_and_a_repetition_goes_on() {
    let (world, _watch) = World::resting().await;
    world.put_pod("b-1", "Running");
    world.namespace.put_secret("b-1", files("x")).await.unwrap();
    world.state.fault(|asked| {
        (asked.line() == "DELETE /secrets/livius-b-1").then(|| status(403, "cannot delete secrets"))
    });
    let error = world.namespace.delete("b-1", GRACE).await.unwrap_err();
    assert!(kind(&error).contains("cannot delete secrets"), "{error}");
    world.state.no_fault();
    assert_eq!(world.namespace.delete("b-1", GRACE).await.unwrap(), 0);
    assert!(world.state.store().get("secrets", "livius-b-1").is_none());
}
