//! What a container can be told about its own pod.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, ResourceFieldSelector};
use kube::ResourceExt as _;

use super::quantity::number;

/// The value of a field, as `metadata.name` or `metadata.labels['app']`. `None` if there is no such
/// field.
pub fn field(pod: &Pod, address: &str, node: &str, path: &str) -> Option<String> {
    let account = |spec: &PodSpec| spec.service_account_name.clone();
    Some(match path {
        "metadata.name" => pod.name_any(),
        "metadata.namespace" => pod.namespace()?,
        "metadata.uid" => pod.uid()?,
        "metadata.labels" => listed(pod.labels()),
        "metadata.annotations" => listed(pod.annotations()),
        "spec.nodeName" => node.to_owned(),
        "spec.serviceAccountName" => pod.spec.as_ref().and_then(account).unwrap_or_default(),
        "status.podIP" | "status.podIPs" => address.to_owned(),
        "status.hostIP" | "status.hostIPs" => "127.0.0.1".to_owned(),
        _ => {
            let (map, key) = path.strip_suffix("']")?.split_once("['")?;
            let map = match map {
                "metadata.labels" => pod.labels(),
                "metadata.annotations" => pod.annotations(),
                _ => return None,
            };
            map.get(key).cloned().unwrap_or_default()
        }
    })
}

fn listed(map: &BTreeMap<String, String>) -> String {
    map.iter().fold(String::new(), |mut text, (key, value)| {
        let _ = writeln!(text, "{key}={value:?}");
        text
    })
}

/// The value of a container's resource, as `limits.memory`, in units of the divisor, rounded up.
pub fn resource(container: &Container, wanted: &ResourceFieldSelector) -> Option<String> {
    let resources = container.resources.as_ref()?;
    let (kind, name) = wanted.resource.split_once('.')?;
    let map = match kind {
        "limits" => resources.limits.as_ref()?,
        "requests" => resources.requests.as_ref()?,
        _ => return None,
    };
    let divisor = wanted
        .divisor
        .as_ref()
        .and_then(number)
        .filter(|d| *d > 0.0);
    let value = number(map.get(name)?)? / divisor.unwrap_or(1.0);
    Some(format!("{}", value.ceil()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_by_their_paths() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "p", "namespace": "n", "uid": "1", "labels": {"a/b": "c"}},
            "spec": {"serviceAccountName": "spark", "containers": []},
        }))
        .unwrap();
        let value = |path| field(&pod, "127.1.1.2", "node", path);
        assert_eq!(value("metadata.name").as_deref(), Some("p"));
        assert_eq!(value("status.podIP").as_deref(), Some("127.1.1.2"));
        assert_eq!(value("spec.serviceAccountName").as_deref(), Some("spark"));
        assert_eq!(value("metadata.labels['a/b']").as_deref(), Some("c"));
        assert_eq!(value("metadata.labels").as_deref(), Some("a/b=\"c\"\n"));
        assert_eq!(value("spec.nosuch"), None);
    }
}
