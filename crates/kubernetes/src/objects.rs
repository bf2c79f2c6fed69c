//! The objects that a template gives to the pod of a driver.

use http::{Method, Request};
use serde_json::Value;

use crate::error::KubernetesError;
use crate::names::{check_name, labels};
use crate::place::Place;
use crate::pod::DriverPod;
use crate::template::{Filled, Template};

/// The status of a name that is taken.
const CONFLICT: u16 = 409;

/// An object that a pod does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmade {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The reason. If it is [`KubernetesError::Away`], another attempt may succeed.
    pub error: KubernetesError,
}

/// Makes those of the objects that the pod does not have yet, and tells which could not be made.
pub async fn put(place: &Place, template: &Template, pod: &DriverPod) -> Vec<Unmade> {
    let mut unmade = Vec::new();
    for object in template.fill(&place.server, pod) {
        if let Err(error) = put_one(place, pod, &object).await {
            unmade.push(Unmade {
                kind: object.kind.name,
                name: object.name,
                error,
            });
        }
    }
    unmade
}

async fn put_one(place: &Place, pod: &DriverPod, object: &Filled) -> Result<(), KubernetesError> {
    check_name("an object", &object.name)?;
    let path = object.kind.path(&place.namespace);
    let body = serde_json::to_vec(&object.body).map_err(|error| invalid(error.to_string()))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{path}?"))
        .header("content-type", "application/json")
        .body(body)
        .map_err(|error| invalid(error.to_string()))?;
    let made = place.client.request_text(request).await;
    match made.map_err(|error| place.error(&error)) {
        Ok(_) => Ok(()),
        Err(KubernetesError::Refused {
            status: CONFLICT, ..
        }) => is_there(place, pod, object, &path).await,
        Err(error) => Err(error),
    }
}

/// Looks whether the object with the name is the one of this pod.
async fn is_there(
    place: &Place,
    pod: &DriverPod,
    object: &Filled,
    path: &str,
) -> Result<(), KubernetesError> {
    let name = &object.name;
    let request = Request::get(format!("{path}/{name}")).body(Vec::new());
    let request = request.map_err(|error| invalid(error.to_string()))?;
    let found: Result<Value, _> = place.client.request(request).await;
    let again = |reason: String| KubernetesError::Away {
        url: place.url.clone(),
        reason,
    };
    let found = match found.map_err(|error| place.error(&error)) {
        Ok(found) => found,
        Err(KubernetesError::NotFound { .. }) => {
            return Err(again(format!("{name} was there a moment ago")));
        }
        Err(error) => return Err(error),
    };
    let metadata = &found["metadata"];
    let ours = labels(&place.server, &pod.driver);
    let is_ours = ours
        .iter()
        .all(|(label, value)| metadata["labels"][label] == **value);
    if !is_ours {
        let (kind, namespace) = (object.kind.name, &place.namespace);
        return Err(invalid(format!(
            "the {kind} {name} in the namespace {namespace} is not one of this driver"
        )));
    }
    let owners = metadata["ownerReferences"].as_array();
    let is_of_pod = owners.is_some_and(|owners| owners.iter().any(|one| one["uid"] == pod.uid));
    if is_of_pod {
        return Ok(());
    }
    Err(again(format!(
        "Kubernetes has not removed {name} of an earlier pod yet"
    )))
}

fn invalid(problem: String) -> KubernetesError {
    KubernetesError::Invalid { problem }
}
