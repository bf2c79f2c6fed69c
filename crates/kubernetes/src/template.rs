//! Objects that an administrator describes, and of which the pod of each driver gets its own: the way
//! to a port of it.

mod check;
mod driver_names;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

pub use self::driver_names::Names;
use crate::error::KubernetesError;
use crate::names;
use crate::pod::DriverPod;
use crate::rights::Right;

/// A kind of objects that a template may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    pub name: &'static str,
    /// The group of its API. Empty for the core.
    pub group: &'static str,
    pub version: &'static str,
    /// The name in paths.
    pub plural: &'static str,
    /// The longest name of an object, in bytes.
    pub longest_name: usize,
}

/// The kinds that lead to a port of a pod, and to nothing else.
const KINDS: [Kind; 3] = [
    Kind {
        name: "Service",
        group: "",
        version: "v1",
        plural: "services",
        longest_name: 63,
    },
    Kind {
        name: "Ingress",
        group: "networking.k8s.io",
        version: "v1",
        plural: "ingresses",
        longest_name: 253,
    },
    Kind {
        name: "HTTPRoute",
        group: "gateway.networking.k8s.io",
        version: "v1",
        plural: "httproutes",
        longest_name: 253,
    },
];

impl Kind {
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The path of its objects in a namespace.
    pub fn path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        let api = self.api_version();
        format!("/{root}/{api}/namespaces/{namespace}/{}", self.plural)
    }
}

/// Checked objects with names in braces, [`Names::PLACEHOLDERS`].
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    objects: Vec<Object>,
}

#[derive(Debug, Clone, PartialEq)]
struct Object {
    kind: Kind,
    name: String,
    labels: Map<String, Value>,
    annotations: Map<String, Value>,
    spec: Value,
}

/// An object for one pod.
pub struct Filled {
    pub kind: Kind,
    pub name: String,
    pub body: Value,
}

impl Template {
    /// The most bytes of a template.
    pub const MOST_BYTES: usize = 64 << 10;

    /// Reads one or more YAML documents: a Service, an Ingress of `networking.k8s.io/v1` or an
    /// `HTTPRoute` of `gateway.networking.k8s.io/v1` each. A problem is
    /// [`KubernetesError::Invalid`], which names the document.
    pub fn parse(text: &str) -> Result<Self, KubernetesError> {
        check::read(text)
    }

    /// The rights that the objects need.
    pub fn rights(&self) -> Vec<Right> {
        let mut rights = Vec::new();
        for Object { kind, .. } in &self.objects {
            for verb in ["create", "get"] {
                let right = Right {
                    group: kind.group,
                    ..Right::of(verb, kind.plural)
                };
                if !rights.contains(&right) {
                    rights.push(right);
                }
            }
        }
        rights
    }

    /// The address that the first rule with a host of an Ingress leads to, with names in braces. It is
    /// one of `https` if the Ingress has TLS. The path ends before a regular expression.
    pub fn address(&self) -> Option<String> {
        let ingresses = self.objects.iter().filter(|one| one.kind.name == "Ingress");
        ingresses.map(|one| &one.spec).find_map(address)
    }

    /// The objects for the pod of a driver of this server, owned by the pod.
    pub(crate) fn fill(&self, server: &str, pod: &DriverPod) -> Vec<Filled> {
        let names = Names::of(pod);
        let objects = self.objects.iter();
        objects.map(|one| one.fill(server, pod, &names)).collect()
    }
}

impl Object {
    fn fill(&self, server: &str, pod: &DriverPod, names: &Names<'_>) -> Filled {
        let name = names.fill(&self.name);
        let owner = pod.as_owner();
        let mut labels = filled(&Value::Object(self.labels.clone()), names);
        for (label, value) in names::labels(server, &pod.driver) {
            labels[label] = json!(value);
        }
        let mut metadata = json!({"name": name, "labels": labels, "ownerReferences": [owner]});
        if !self.annotations.is_empty() {
            metadata["annotations"] = filled(&Value::Object(self.annotations.clone()), names);
        }
        let body = json!({
            "apiVersion": self.kind.api_version(),
            "kind": self.kind.name,
            "metadata": metadata,
            "spec": filled(&self.spec, names),
        });
        Filled {
            kind: self.kind,
            name,
            body,
        }
    }
}

fn filled(value: &Value, names: &Names<'_>) -> Value {
    match value {
        Value::String(text) => Value::String(names.fill(text)),
        Value::Array(items) => items.iter().map(|item| filled(item, names)).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| (key.clone(), filled(value, names)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

/// The characters that begin a regular expression in a path.
const OF_EXPRESSIONS: [char; 9] = ['(', '[', '*', '?', '+', '$', '|', '\\', '^'];

fn address(spec: &Value) -> Option<String> {
    let rules = spec["rules"].as_array()?;
    let (host, rule) = rules
        .iter()
        .find_map(|rule| Some((rule["host"].as_str()?, rule)))?;
    let has_tls = spec["tls"].as_array().is_some_and(|tls| !tls.is_empty());
    let scheme = if has_tls { "https" } else { "http" };
    let path = rule["http"]["paths"][0]["path"].as_str().unwrap_or("/");
    let end = path.find(OF_EXPRESSIONS).unwrap_or(path.len());
    let path = path[..end].trim_matches('/');
    let path = if path.is_empty() {
        String::new()
    } else {
        format!("{path}/")
    };
    Some(format!("{scheme}://{host}/{path}"))
}
