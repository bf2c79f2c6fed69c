//! Roles for the accounts of a namespace.

use serde_json::{Value, json};

/// A rule of a role: groups, resources and verbs, each list in one text.
type Rule = (&'static str, &'static str, &'static str);

/// The rights that Spark's driver needs for its executors.
pub const SPARK: &[Rule] = &[(
    "",
    "pods services configmaps persistentvolumeclaims",
    "create get list watch update patch delete deletecollection",
)];

/// The rights that an administrator grants to Livius. `docs/guide/kubernetes.md` and the chart's roles
/// have the same.
pub const LIVIUS: &[Rule] = &[
    ("", "pods", "create get list watch delete"),
    ("", "pods/log", "get"),
    ("", "events", "list"),
    ("", "secrets", "create get list patch delete"),
    (
        "",
        "configmaps services persistentvolumeclaims",
        "create get list update patch delete deletecollection",
    ),
    // Spark 4.3 makes a policy for the network of each application.
    (
        "networking.k8s.io",
        "networkpolicies",
        "create get patch delete",
    ),
    // The objects of `kubernetes.ingress`.
    ("networking.k8s.io", "ingresses", "create get"),
];

/// A role with these rules.
pub fn role(namespace: &str, name: &str, rules: &[Rule]) -> Value {
    let words = |list: &str| list.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let rules: Vec<Value> = rules
        .iter()
        .map(|(groups, resources, verbs)| {
            json!({"apiGroups": words(groups), "resources": words(resources), "verbs": words(verbs)})
        })
        .collect();
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"namespace": namespace, "name": name}, "rules": rules,
    })
}

/// Gives the role of that name to the service account of that name.
pub fn binding(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"namespace": namespace, "name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": name}],
    })
}
