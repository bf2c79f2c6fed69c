//! The volumes of a pod, as folders of this machine.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, DownwardAPIVolumeFile, KeyToPath, Pod, Secret, ServiceAccount,
    ServiceAccountTokenProjection, Volume, VolumeProjection,
};
use kube::Api;
use kube::api::PostParams;

use super::Kubelet;
use super::container::Mount;
use super::events::Subject;
use super::fields::{field, resource};

/// The validity of a service account's token if the pod does not say it, in seconds.
const TOKEN_SECONDS: i64 = 3600;

/// The bits of a file that the pod gives no mode.
const MODE: i32 = 0o644;

type Files = BTreeMap<String, Vec<u8>>;

/// Fills the volumes of one pod.
pub struct Volumes<'a> {
    pub kubelet: &'a Kubelet,
    pub pod: &'a Pod,
    pub subject: &'a Subject,
    pub address: &'a str,
    /// The folder that gets a folder for each volume.
    pub folder: &'a Utf8Path,
}

impl Volumes<'_> {
    /// The folder of a volume with its files. The error is that of `MountVolume.SetUp`.
    pub async fn fill(&self, volume: &Volume) -> Result<Utf8PathBuf, String> {
        let folder = self.folder.join(&volume.name);
        if let Some(host) = &volume.host_path {
            let may_be_made = host.type_.as_deref() == Some("DirectoryOrCreate");
            if may_be_made {
                fs::create_dir_all(&host.path).map_err(|error| error.to_string())?;
            }
            let wanted = host.type_.as_deref().unwrap_or_default();
            if !wanted.is_empty() && !Utf8Path::new(&host.path).exists() {
                return Err(format!(
                    "hostPath type check failed: {} is not a directory",
                    host.path
                ));
            }
            return Ok(host.path.clone().into());
        }
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        if volume.empty_dir.is_some() {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o777))
                .map_err(|error| error.to_string())?;
        } else if let Some(map) = &volume.config_map {
            let files = self
                .config_map(&map.name, map.items.as_deref(), map.optional)
                .await?;
            write(&folder, files, map.default_mode)?;
        } else if let Some(secret) = &volume.secret {
            let name = secret.secret_name.as_deref().unwrap_or_default();
            let files = self
                .secret(name, secret.items.as_deref(), secret.optional)
                .await?;
            write(&folder, files, secret.default_mode)?;
        } else if let Some(downward) = &volume.downward_api {
            let files = self.downward(downward.items.as_deref().unwrap_or_default())?;
            write(&folder, files, downward.default_mode)?;
        } else if let Some(projected) = &volume.projected {
            for source in projected.sources.iter().flatten() {
                let files = self.projected(source).await?;
                write(&folder, files, projected.default_mode)?;
            }
        } else {
            return Err(format!(
                "this node has no volumes of the kind of {:?}",
                volume.name
            ));
        }
        Ok(folder)
    }

    async fn projected(&self, source: &VolumeProjection) -> Result<Files, String> {
        if let Some(map) = &source.config_map {
            self.config_map(&map.name, map.items.as_deref(), map.optional)
                .await
        } else if let Some(secret) = &source.secret {
            self.secret(&secret.name, secret.items.as_deref(), secret.optional)
                .await
        } else if let Some(downward) = &source.downward_api {
            self.downward(downward.items.as_deref().unwrap_or_default())
        } else if let Some(token) = &source.service_account_token {
            self.token(token).await
        } else {
            Err("this node does not know the source of a projected volume".to_owned())
        }
    }

    async fn config_map(
        &self,
        name: &str,
        items: Option<&[KeyToPath]>,
        optional: Option<bool>,
    ) -> Result<Files, String> {
        let api: Api<ConfigMap> = self.api();
        let found = api.get_opt(name).await.map_err(|error| error.to_string())?;
        let files = found.map(|map| {
            let text = map.data.unwrap_or_default().into_iter();
            let binary = map.binary_data.unwrap_or_default().into_iter();
            text.map(|(key, value)| (key, value.into_bytes()))
                .chain(binary.map(|(key, value)| (key, value.0)))
                .collect()
        });
        chosen("configmap", name, files, items, optional)
    }

    async fn secret(
        &self,
        name: &str,
        items: Option<&[KeyToPath]>,
        optional: Option<bool>,
    ) -> Result<Files, String> {
        let api: Api<Secret> = self.api();
        let found = api.get_opt(name).await.map_err(|error| error.to_string())?;
        let files = found.map(|secret| {
            let data = secret.data.unwrap_or_default().into_iter();
            data.map(|(key, value)| (key, value.0)).collect()
        });
        chosen("secret", name, files, items, optional)
    }

    fn downward(&self, items: &[DownwardAPIVolumeFile]) -> Result<Files, String> {
        let containers = self.pod.spec.iter().flat_map(|spec| &spec.containers);
        let containers: Vec<&Container> = containers.collect();
        let value = |item: &DownwardAPIVolumeFile| {
            if let Some(wanted) = &item.field_ref {
                return field(
                    self.pod,
                    self.address,
                    &self.kubelet.name,
                    &wanted.field_path,
                );
            }
            let wanted = item.resource_field_ref.as_ref()?;
            let named = |c: &&&Container| wanted.container_name.as_ref() == Some(&c.name);
            resource(containers.iter().find(named)?, wanted)
        };
        let file = |item: &DownwardAPIVolumeFile| {
            let text = value(item).ok_or(format!("no value for {}", item.path))?;
            Ok((item.path.clone(), text.into_bytes()))
        };
        items.iter().map(file).collect()
    }

    async fn token(&self, wanted: &ServiceAccountTokenProjection) -> Result<Files, String> {
        let account = self
            .pod
            .spec
            .as_ref()
            .and_then(|spec| spec.service_account_name.as_deref());
        let request = TokenRequest {
            spec: TokenRequestSpec {
                audiences: wanted.audience.iter().cloned().collect(),
                expiration_seconds: Some(wanted.expiration_seconds.unwrap_or(TOKEN_SECONDS)),
                bound_object_ref: Some(BoundObjectReference {
                    api_version: Some("v1".to_owned()),
                    kind: Some("Pod".to_owned()),
                    name: Some(self.subject.name.clone()),
                    uid: Some(self.subject.uid.clone()),
                }),
            },
            ..TokenRequest::default()
        };
        let accounts: Api<ServiceAccount> = self.api();
        let account = account.unwrap_or("default");
        let created = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await
            .map_err(|error| format!("failed to fetch token: {error}"))?;
        let token = created
            .status
            .map(|status| status.token)
            .unwrap_or_default();
        Ok(Files::from([(wanted.path.clone(), token.into_bytes())]))
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.kubelet.client.clone(), &self.subject.namespace)
    }
}

/// The files that a pod wants of an object.
fn chosen(
    kind: &str,
    name: &str,
    files: Option<Files>,
    items: Option<&[KeyToPath]>,
    optional: Option<bool>,
) -> Result<Files, String> {
    let optional = optional == Some(true);
    let Some(files) = files else {
        return if optional {
            Ok(Files::new())
        } else {
            Err(format!("{kind} {name:?} not found"))
        };
    };
    let Some(items) = items else { return Ok(files) };
    let mut chosen = Files::new();
    for item in items {
        match files.get(&item.key) {
            Some(bytes) => {
                chosen.insert(item.path.clone(), bytes.clone());
            }
            None if optional => {}
            None => return Err(format!("references non-existent {kind} key: {}", item.key)),
        }
    }
    Ok(chosen)
}

fn write(folder: &Utf8Path, files: Files, mode: Option<i32>) -> Result<(), String> {
    let mode = u32::try_from(mode.unwrap_or(MODE)).unwrap_or_default();
    for (path, bytes) in files {
        // The API server refuses paths that leave the volume.
        let file = folder.join(path);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&file, bytes))
            .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(mode)))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The places in a container that show its volumes.
pub fn mounts(
    container: &Container,
    pod: &Pod,
    volumes: &BTreeMap<String, Utf8PathBuf>,
) -> Result<Vec<Mount>, String> {
    let all = pod
        .spec
        .iter()
        .flat_map(|spec| spec.volumes.iter().flatten());
    // The files of these are the cluster's, not the container's.
    let is_fixed = |name: &str| {
        all.clone().any(|volume| {
            volume.name == name && volume.empty_dir.is_none() && volume.host_path.is_none()
        })
    };
    let mount = |wanted: &k8s_openapi::api::core::v1::VolumeMount| {
        let name = &wanted.name;
        let volume = volumes.get(name).ok_or(format!("no volume {name:?}"))?;
        let mut source = volume.clone();
        if let Some(path) = wanted.sub_path.as_deref().filter(|path| !path.is_empty()) {
            source = source.join(path);
            if !source.exists() {
                fs::create_dir_all(&source).map_err(|error| error.to_string())?;
            }
        }
        Ok(Mount {
            target: wanted.mount_path.clone(),
            source,
            read_only: wanted.read_only == Some(true) || is_fixed(name),
        })
    };
    container
        .volume_mounts
        .iter()
        .flatten()
        .map(mount)
        .collect()
}
