//! The secrets with the files of drivers.

use std::collections::BTreeMap;

use http::{Method, Request};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource as _;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::core::PartialObjectMeta;
use serde_json::json;

use crate::error::KubernetesError;
use crate::names::{check_label, check_name, labels, secret_name};
use crate::place::Place;
use crate::pod::DriverPod;

/// The most bytes in a secret, by the API server's own rule.
const MOST_BYTES: usize = 1 << 20;

/// The status of a name that is taken.
const CONFLICT: u16 = 409;

/// Puts files into the secret of a driver. Replaces an earlier one of the same driver.
pub async fn put(
    place: &Place,
    driver: &str,
    files: BTreeMap<String, Vec<u8>>,
) -> Result<(), KubernetesError> {
    check_label("a driver", driver)?;
    let name = secret_name(driver);
    check_name("a secret", &name)?;
    let bytes: usize = files.values().map(Vec::len).sum();
    if bytes > MOST_BYTES {
        let problem = format!(
            "the files of driver {driver} have {bytes} bytes, and a secret of Kubernetes takes {MOST_BYTES}"
        );
        return Err(KubernetesError::Invalid { problem });
    }
    let secret = secret(place, driver, name.clone(), files);
    match create(place, &secret).await {
        Err(KubernetesError::Refused {
            status: CONFLICT, ..
        }) => {
            remove_own(place, driver, &name).await?;
            create(place, &secret).await
        }
        created => created,
    }
}

fn secret(place: &Place, driver: &str, name: String, files: BTreeMap<String, Vec<u8>>) -> Secret {
    let files = files.into_iter();
    Secret {
        metadata: ObjectMeta {
            name: Some(name),
            labels: Some(labels(&place.server, driver)),
            ..ObjectMeta::default()
        },
        data: Some(files.map(|(name, file)| (name, ByteString(file))).collect()),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    }
}

async fn create(place: &Place, secret: &Secret) -> Result<(), KubernetesError> {
    let url = Secret::url_path(&(), Some(&place.namespace));
    let invalid = |problem: String| KubernetesError::Invalid { problem };
    let body = serde_json::to_vec(secret).map_err(|error| invalid(error.to_string()))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{url}?"))
        .header("content-type", "application/json")
        .body(body)
        .map_err(|error| invalid(error.to_string()))?;
    // The response repeats the secret. The library's typed call would log it if it were malformed.
    let created = place.client.request_text(request).await;
    created.map(drop).map_err(|error| place.error(&error))
}

/// Removes the secret with this name if it is that of this driver of this server.
async fn remove_own(place: &Place, driver: &str, name: &str) -> Result<(), KubernetesError> {
    let api = place.api::<PartialObjectMeta<Secret>>();
    let found = api
        .get_opt(name)
        .await
        .map_err(|error| place.error(&error))?;
    let Some(found) = found else {
        return Ok(());
    };
    let wanted = labels(&place.server, driver);
    let has = found.metadata.labels.unwrap_or_default();
    if !wanted.iter().all(|label| has.get(label.0) == Some(label.1)) {
        let problem = format!(
            "the secret {name} in namespace {} is not one of this server",
            place.namespace
        );
        return Err(KubernetesError::Invalid { problem });
    }
    remove(place, name, found.metadata.uid).await
}

/// Removes the secret with this name and id. One that is gone already is fine.
pub async fn remove(place: &Place, name: &str, uid: Option<String>) -> Result<(), KubernetesError> {
    let params = DeleteParams {
        preconditions: Some(Preconditions {
            uid,
            ..Preconditions::default()
        }),
        ..DeleteParams::default()
    };
    let api = place.api::<PartialObjectMeta<Secret>>();
    match api.delete(name, &params).await {
        Ok(_) => Ok(()),
        Err(error) => match place.error(&error) {
            KubernetesError::NotFound { .. } => Ok(()),
            // Another secret has the name now.
            KubernetesError::Refused {
                status: CONFLICT, ..
            } => Ok(()),
            error => Err(error),
        },
    }
}

/// Makes a pod the owner of its driver's secret, so that Kubernetes removes both together.
pub async fn give(place: &Place, driver: &str, pod: &DriverPod) -> Result<(), KubernetesError> {
    check_label("a driver", driver)?;
    let name = secret_name(driver);
    check_name("a secret", &name)?;
    let owner = pod.as_owner();
    let patch =
        json!({"metadata": {"ownerReferences": [owner], "labels": labels(&place.server, driver)}});
    let api = place.api::<PartialObjectMeta<Secret>>();
    let given = api
        .patch(&name, &PatchParams::default(), &Patch::Merge(&patch))
        .await;
    given.map(drop).map_err(|error| place.error(&error))
}
