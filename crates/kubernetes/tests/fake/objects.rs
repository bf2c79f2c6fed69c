//! The objects that a template gives to the pods of drivers.

use livius_kubernetes::{DriverPod, KubernetesError, Template, Unmade};
use serde_json::{Value, json};

use crate::server::status;
use crate::world::{OTHER, OURS, World, known};

const OBJECTS: &str = r#"
apiVersion: v1
kind: Service
spec: { selector: { livius/driver: "{driver}" }, ports: [{ port: 4040 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: "ui-{driver}" }
spec: { hostnames: ["{driver}.{namespace}.example.com"] }
"#;

fn pod() -> DriverPod {
    DriverPod {
        driver: "b-1".to_owned(),
        ..known("p")
    }
}

async fn put(world: &World) -> Vec<Unmade> {
    let template = Template::parse(OBJECTS).unwrap();
    world.namespace.put_objects(&template, &pod()).await
}

fn object(world: &World, resource: &str, name: &str) -> Value {
    let found = world.state.store().get(resource, name).cloned();
    found.unwrap_or_default()
}

#[tokio::test]
async fn objects_are_made_once() {
    let (world, _watch) = World::resting().await;
    assert_eq!(put(&world).await, []);
    let service = object(&world, "services", "livius-b-1");
    assert_eq!(
        service["metadata"]["labels"],
        json!({"livius/server": OURS, "livius/driver": "b-1"})
    );
    assert_eq!(
        service["metadata"]["ownerReferences"],
        json!([{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "uid-of-p"}])
    );
    let route = object(&world, "httproutes", "ui-b-1");
    assert_eq!(route["spec"]["hostnames"], json!(["b-1.spark.example.com"]));
    assert_eq!(put(&world).await, []);
    assert_eq!(object(&world, "services", "livius-b-1"), service);
    let routes = "/apis/gateway.networking.k8s.io/v1/namespaces/spark/httproutes";
    let expected = [
        "POST /services".to_owned(),
        format!("POST {routes}"),
        "POST /services".to_owned(),
        "GET /services/livius-b-1".to_owned(),
        format!("POST {routes}"),
        format!("GET {routes}/ui-b-1"),
    ];
    assert_eq!(world.lines(), expected);
}

#[tokio::test]
async fn a_name_that_is_taken_is_told() {
    let (world, _watch) = World::resting().await;
    let labels = |server: &str| json!({"livius/server": server, "livius/driver": "b-1"});
    let theirs = json!({"metadata": {"name": "livius-b-1", "labels": labels(OTHER)}});
    let earlier = json!({
        "metadata": {
            "name": "ui-b-1", "labels": labels(OURS),
            "ownerReferences": [{"uid": "uid-of-another-pod"}],
        },
    });
    world.state.change(|store| {
        store.put("services", theirs);
        store.put("httproutes", earlier);
    });
    let unmade = put(&world).await;
    assert_eq!(
        (unmade[0].kind, &*unmade[0].name),
        ("Service", "livius-b-1")
    );
    assert!(
        matches!(&unmade[0].error, KubernetesError::Invalid { problem } if problem.contains("not one of this driver")),
        "{unmade:?}"
    );
    // Kubernetes removes it with its pod.
    assert!(
        matches!(&unmade[1].error, KubernetesError::Away { reason, .. } if reason.contains("earlier pod")),
        "{unmade:?}"
    );
}

#[tokio::test]
async fn a_refusal_of_one_object_makes_the_others() {
    let (world, _watch) = World::resting().await;
    world.state.fault(|asked| {
        let is_service = asked.path.ends_with("/services");
        is_service.then(|| status(403, "services is forbidden"))
    });
    let unmade = put(&world).await;
    assert_eq!(unmade.len(), 1);
    assert!(unmade[0].error.is_forbidden(), "{unmade:?}");
    assert_ne!(object(&world, "httproutes", "ui-b-1"), Value::Null);
    world
        .state
        .fault(|_| Some(status(503, "the store is away")));
    let unmade = put(&world).await;
    assert!(
        unmade.len() == 2
            && unmade
                .iter()
                .all(|one| matches!(one.error, KubernetesError::Away { .. })),
        "{unmade:?}"
    );
}
