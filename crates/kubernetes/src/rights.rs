//! The version of an API server, and our rights there, for people who look for a mistake.

use std::fmt;

use http::Request;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::apimachinery::pkg::version::Info;
use kube::Api;
use kube::api::PostParams;

use crate::error::KubernetesError;
use crate::place::Place;
use crate::text;

/// A right in a namespace: a verb and a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// The verb, such as `list`.
    pub verb: &'static str,
    /// The group of the resource. Empty for the core, which has the pods.
    pub group: &'static str,
    /// The resource, such as `pods`.
    pub resource: &'static str,
    /// The part of the resource, such as `log`.
    pub part: Option<&'static str>,
}

impl Right {
    /// The rights that this crate needs.
    pub const NEEDED: &[Self] = &[
        Self::of("list", "pods"),
        Self::of("watch", "pods"),
        Self::of("delete", "pods"),
        Self {
            part: Some("log"),
            ..Self::of("get", "pods")
        },
        Self::of("list", "events"),
        Self::of("create", "secrets"),
        Self::of("get", "secrets"),
        Self::of("list", "secrets"),
        Self::of("patch", "secrets"),
        Self::of("delete", "secrets"),
    ];

    /// A right to a resource of the core.
    pub const fn of(verb: &'static str, resource: &'static str) -> Self {
        Self {
            verb,
            group: "",
            resource,
            part: None,
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if let Some(part) = self.part {
            write!(f, "/{part}")?;
        }
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

/// The version of the API server, such as `v1.33.1`.
pub async fn version(place: &Place) -> Result<String, KubernetesError> {
    let invalid = |problem: String| KubernetesError::Invalid { problem };
    let request = Request::get("/version").body(Vec::new());
    let request = request.map_err(|error| invalid(error.to_string()))?;
    let info: Result<Info, _> = place.client.request(request).await;
    let info = info.map_err(|error| place.error(&error))?;
    Ok(text::name(info.git_version))
}

/// Asks for each of these rights, and returns the missing ones.
pub async fn missing(place: &Place, rights: &[Right]) -> Result<Vec<Right>, KubernetesError> {
    let api = Api::<SelfSubjectAccessReview>::all(place.client.clone());
    let mut missing = Vec::new();
    for right in rights {
        let review = review(place, right);
        let answer = api.create(&PostParams::default(), &review).await;
        let answer = answer.map_err(|error| place.error(&error))?;
        if !answer.status.is_some_and(|status| status.allowed) {
            missing.push(*right);
        }
    }
    Ok(missing)
}

fn review(place: &Place, right: &Right) -> SelfSubjectAccessReview {
    let attributes = ResourceAttributes {
        namespace: Some(place.namespace.clone()),
        verb: Some(right.verb.to_owned()),
        group: Some(right.group.to_owned()),
        resource: Some(right.resource.to_owned()),
        subresource: right.part.map(str::to_owned),
        ..ResourceAttributes::default()
    };
    SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    }
}
