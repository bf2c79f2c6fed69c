//! The environment of a container.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, Pod, Secret};
use kube::Api;

use super::Kubelet;
use super::fields::{field, resource};
use crate::kubernetes::image::Image;
use crate::kubernetes::site::SERVICE_PORT;

/// The keys and texts of a config map or a secret. Empty if it may be missing, and is.
type Texts = BTreeMap<String, String>;

/// Finds the values of all variables, in order: those of the image, of the cluster, of the pod.
/// A missing object is an error that a kubelet reports as `CreateContainerConfigError`.
pub async fn variables(
    kubelet: &Kubelet,
    pod: &Pod,
    address: &str,
    container: &Container,
    image: &Image,
) -> Result<Vec<(String, String)>, String> {
    let source = Source {
        kubelet,
        pod,
        address,
        container,
    };
    let mut all: Vec<(String, String)> = image.variables.clone().into_iter().collect();
    let mut set = |name: &str, value: String| {
        all.retain(|(known, _)| known != name);
        all.push((name.to_owned(), value));
    };
    let subject = super::events::Subject::of(pod);
    let port = SERVICE_PORT.to_string();
    for (name, value) in [
        ("HOME", "/root".to_owned()),
        ("HOSTNAME", subject.name),
        ("KUBERNETES_SERVICE_HOST", kubelet.network.api_server()),
        ("KUBERNETES_SERVICE_PORT", port.clone()),
        ("KUBERNETES_SERVICE_PORT_HTTPS", port),
    ] {
        set(name, value);
    }
    for from in container.env_from.iter().flatten() {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        let texts = if let Some(map) = &from.config_map_ref {
            source.config_map(&map.name, map.optional).await?
        } else if let Some(secret) = &from.secret_ref {
            source.secret(&secret.name, secret.optional).await?
        } else {
            Texts::new()
        };
        for (key, value) in texts {
            set(&format!("{prefix}{key}"), value);
        }
    }
    let mut own: Vec<(String, String)> = Vec::new();
    for variable in container.env.iter().flatten() {
        if let Some(value) = source.value(variable, &own).await? {
            own.push((variable.name.clone(), value));
        }
    }
    for (name, value) in own {
        set(&name, value);
    }
    Ok(all)
}

struct Source<'a> {
    kubelet: &'a Kubelet,
    pod: &'a Pod,
    address: &'a str,
    container: &'a Container,
}

impl Source<'_> {
    async fn value(
        &self,
        variable: &EnvVar,
        before: &[(String, String)],
    ) -> Result<Option<String>, String> {
        let Some(from) = &variable.value_from else {
            let text = variable.value.as_deref().unwrap_or_default();
            return Ok(Some(expand(text, before)));
        };
        let node = &self.kubelet.name;
        if let Some(wanted) = &from.field_ref {
            let path = &wanted.field_path;
            let value = field(self.pod, self.address, node, path);
            return value.map(Some).ok_or(format!("unsupported field {path}"));
        }
        if let Some(wanted) = &from.resource_field_ref {
            return Ok(resource(self.container, wanted));
        }
        let (texts, kind, name, key, optional) = if let Some(wanted) = &from.config_map_key_ref {
            let texts = self.config_map(&wanted.name, wanted.optional).await?;
            (
                texts,
                "ConfigMap",
                &wanted.name,
                &wanted.key,
                wanted.optional,
            )
        } else if let Some(wanted) = &from.secret_key_ref {
            let texts = self.secret(&wanted.name, wanted.optional).await?;
            (texts, "Secret", &wanted.name, &wanted.key, wanted.optional)
        } else {
            return Err("the variable has no source that this node knows".to_owned());
        };
        let found = texts.get(key).cloned();
        if found.is_none() && optional != Some(true) {
            let namespace = super::events::Subject::of(self.pod).namespace;
            return Err(format!(
                "couldn't find key {key} in {kind} {namespace}/{name}"
            ));
        }
        Ok(found)
    }

    async fn config_map(&self, name: &str, optional: Option<bool>) -> Result<Texts, String> {
        let found = self.api::<ConfigMap>().get_opt(name).await;
        let map = found.map_err(|error| error.to_string())?;
        match map {
            Some(map) => Ok(map.data.unwrap_or_default()),
            None => missing("configmap", name, optional),
        }
    }

    async fn secret(&self, name: &str, optional: Option<bool>) -> Result<Texts, String> {
        let found = self.api::<Secret>().get_opt(name).await;
        let secret = found.map_err(|error| error.to_string())?;
        let Some(secret) = secret else {
            return missing("secret", name, optional);
        };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let data = secret.data.unwrap_or_default().into_iter();
        Ok(data.map(|(key, value)| (key, text(value.0))).collect())
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        let namespace = super::events::Subject::of(self.pod).namespace;
        Api::namespaced(self.kubelet.client.clone(), &namespace)
    }
}

fn missing(kind: &str, name: &str, optional: Option<bool>) -> Result<Texts, String> {
    if optional == Some(true) {
        return Ok(Texts::new());
    }
    Err(format!("{kind} {name:?} not found"))
}

/// Replaces `$(NAME)` by the value of a variable that comes before. `$$` is a dollar sign, and an
/// unknown name stays as it is.
pub fn expand(text: &str, known: &[(String, String)]) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
            continue;
        }
        let name = rest.strip_prefix('(').and_then(|name| name.split_once(')'));
        let value = name.and_then(|(name, after)| {
            let found = known.iter().rev().find(|(known, _)| known == name);
            found.map(|(_, value)| (value, after))
        });
        match value {
            Some((value, after)) => {
                expanded.push_str(value);
                rest = after;
            }
            None => expanded.push('$'),
        }
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_in_parentheses_are_replaced() {
        let known = [("A".to_owned(), "one".to_owned())];
        for (text, expanded) in [
            ("$(A)/$(A)", "one/one"),
            ("$A $(B) $", "$A $(B) $"),
            ("$$(A)", "$(A)"),
            ("$(A", "$(A"),
        ] {
            assert_eq!(expand(text, &known), expanded, "{text}");
        }
    }
}
