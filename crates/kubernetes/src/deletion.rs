//! The deletion of everything that a driver has.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{DeleteParams, Preconditions};
use kube::core::PartialObjectMeta;

use crate::error::KubernetesError;
use crate::names::of_driver;
use crate::place::Place;
use crate::secrets;

/// The deletions that are requested at once. A driver can have hundreds of executors.
const AT_ONCE: usize = 8;

/// The status of a condition that is not met.
const CONFLICT: u16 = 409;

/// Asks for the deletion of all pods of a driver, and removes its secret. Answers with the number of
/// pods that there were.
pub async fn of(place: &Place, driver: &str, grace: Duration) -> Result<usize, KubernetesError> {
    let labels = of_driver(&place.server, driver)?;
    let pods = place.list::<PartialObjectMeta<Pod>>(&labels).await?;
    let found = pods.len();
    stream::iter(pods)
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |pod| delete_pod(place, pod, grace))
        .await?;
    for secret in place.list::<PartialObjectMeta<Secret>>(&labels).await? {
        let name = secret.metadata.name.unwrap_or_default();
        secrets::remove(place, &name, secret.metadata.uid).await?;
    }
    Ok(found)
}

async fn delete_pod(
    place: &Place,
    pod: PartialObjectMeta<Pod>,
    grace: Duration,
) -> Result<(), KubernetesError> {
    let name = pod.metadata.name.unwrap_or_default();
    let params = DeleteParams {
        grace_period_seconds: Some(grace.as_secs().try_into().unwrap_or(u32::MAX)),
        // Another pod may have the name by now.
        preconditions: Some(Preconditions {
            uid: pod.metadata.uid,
            ..Preconditions::default()
        }),
        ..DeleteParams::background()
    };
    let api = place.api::<PartialObjectMeta<Pod>>();
    match api.delete(&name, &params).await {
        Ok(_) => Ok(()),
        Err(error) => match place.error(&error) {
            // It is gone.
            KubernetesError::NotFound { .. }
            | KubernetesError::Refused {
                status: CONFLICT, ..
            } => Ok(()),
            error => Err(error),
        },
    }
}
