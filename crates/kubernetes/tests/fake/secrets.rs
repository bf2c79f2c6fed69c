//! The secrets of drivers.

use livius_kubernetes::{KubernetesError, secret_name};
use serde_json::{Value, json};

use crate::world::{OTHER, OURS, World, files, known};

fn secret(world: &World, name: &str) -> Option<Value> {
    world.state.store().get("secrets", name).cloned()
}

#[tokio::test]
async fn files_are_put_and_replaced() {
    let (world, _watch) = World::resting().await;
    let name = secret_name("b-1");
    assert_eq!(name, "livius-b-1");
    let mut first = files("one");
    first.insert("agent.jar".to_owned(), vec![0, 159, 146, 150]);
    world.namespace.put_secret("b-1", first).await.unwrap();
    let put = secret(&world, &name).unwrap();
    let labels = json!({"livius/server": OURS, "livius/driver": "b-1"});
    assert_eq!(put["metadata"]["labels"], labels);
    assert_eq!(put["type"], "Opaque");
    assert_eq!(put["kind"], "Secret");
    assert_eq!(
        put["data"],
        json!({"launch.json": "b25l", "agent.jar": "AJ+Slg=="})
    );

    world
        .namespace
        .put_secret("b-1", files("two"))
        .await
        .unwrap();
    let replaced = secret(&world, &name).unwrap();
    assert_eq!(replaced["data"], json!({"launch.json": "dHdv"}));
    assert_ne!(replaced["metadata"]["uid"], put["metadata"]["uid"]);
    let expected = [
        "POST /secrets",
        "POST /secrets",
        "GET /secrets/livius-b-1",
        "DELETE /secrets/livius-b-1",
        "POST /secrets",
    ];
    assert_eq!(world.lines(), expected);
}

#[tokio::test]
async fn a_secret_of_somebody_else_is_not_replaced() {
    let (world, _watch) = World::resting().await;
    for labels in [
        json!({"livius/server": OTHER, "livius/driver": "b-1"}),
        json!({"livius/server": OURS, "livius/driver": "b-2"}),
        Value::Null,
    ] {
        let theirs = json!({
            "metadata": {"name": "livius-b-1", "uid": "u", "labels": labels}, "data": {"a": ""}
        });
        world.state.change(|store| store.put("secrets", theirs));
        let error = world
            .namespace
            .put_secret("b-1", files("x"))
            .await
            .unwrap_err();
        assert!(matches!(error, KubernetesError::Invalid { .. }), "{error}");
        assert!(error.to_string().contains("livius-b-1"), "{error}");
        assert_eq!(
            secret(&world, "livius-b-1").unwrap()["data"],
            json!({"a": ""})
        );
    }
}

#[tokio::test]
async fn a_secret_belongs_to_its_pod() {
    let (world, _watch) = World::resting().await;
    world.namespace.put_secret("b-1", files("x")).await.unwrap();
    for _ in 0..2 {
        world
            .namespace
            .give_secret("b-1", &known("p"))
            .await
            .unwrap();
        let owners = secret(&world, "livius-b-1").unwrap()["metadata"]["ownerReferences"].take();
        let expected = json!([
            {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "uid-of-p"}
        ]);
        assert_eq!(owners, expected);
    }
    let error = world
        .namespace
        .give_secret("b-2", &known("p"))
        .await
        .unwrap_err();
    assert!(matches!(error, KubernetesError::NotFound { .. }), "{error}");
}
