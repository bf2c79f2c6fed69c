//! The objects of a template, which the API server checks and its controllers remove.

use livius_kubernetes::{KubernetesError, Template};
use serde_json::Value;

use crate::Case;
use crate::world::{SPACE, World};

pub const CASES: &[Case] = &[
    ("objects_of_a_pod_are_made_once_and_go_with_it", made),
    ("an_object_that_is_invalid_or_unknown_is_told", refused),
];

const OBJECTS: &str = r#"
apiVersion: v1
kind: Service
spec:
  selector: { livius/driver: "{driver}", spark-role: driver }
  ports: [{ name: spark-ui, port: 4040, targetPort: spark-ui }]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
spec:
  rules:
    - host: "{driver}.spark.example.com"
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: { service: { name: "{service}", port: { name: spark-ui } } }
"#;

fn paths(driver: &str) -> [String; 2] {
    [
        format!("/api/v1/namespaces/{SPACE}/services/livius-{driver}"),
        format!("/apis/networking.k8s.io/v1/namespaces/{SPACE}/ingresses/livius-{driver}"),
    ]
}

fn made(world: &mut World) {
    let template = Template::parse(OBJECTS).unwrap();
    world.create("b-31", "sleep 8765");
    let pod = world.started("b-31");
    for _ in 0..2 {
        let unmade = world.wait(world.namespace.put_objects(&template, &pod));
        assert_eq!(unmade, []);
    }
    let made = paths("b-31").map(|path| world.cluster.get(&path).unwrap());
    for object in &made {
        assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], pod.uid);
    }
    let rule = &made[1]["spec"]["rules"][0];
    assert_eq!(rule["host"], "b-31.spark.example.com");
    let backend = &rule["http"]["paths"][0]["backend"]["service"];
    assert_eq!(backend["name"], "livius-b-31");

    world.delete("b-31");
    world.eventually(|| async {
        let left: Vec<Value> = paths("b-31")
            .iter()
            .filter_map(|path| world.cluster.get(path))
            .collect();
        left.is_empty().then_some(()).ok_or(format!("{left:?}"))
    });
}

fn refused(world: &mut World) {
    let template = "
apiVersion: v1
kind: Service
spec: { ports: [{ port: 70000 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
spec: { hostnames: [h] }
";
    let template = Template::parse(template).unwrap();
    world.create("b-32", "sleep 8765");
    let pod = world.started("b-32");
    let unmade = world.wait(world.namespace.put_objects(&template, &pod));
    assert_eq!(unmade.len(), 2, "{unmade:?}");
    assert!(
        matches!(&unmade[0].error, KubernetesError::Refused { status: 422, message } if message.contains("port")),
        "{unmade:?}"
    );
    // The account may not make one, and this cluster does not know the kind.
    assert!(
        matches!(
            &unmade[1].error,
            KubernetesError::NotFound { .. } | KubernetesError::Refused { status: 403, .. }
        ),
        "{unmade:?}"
    );
    world.delete("b-32");
}
