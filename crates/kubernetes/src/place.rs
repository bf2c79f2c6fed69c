//! One namespace at one API server, as requests need it.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::api::ListParams;
use kube::core::ObjectList;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::error::KubernetesError;

/// The most objects in one response.
const PAGE: u32 = 500;

/// The most responses for one list. A namespace with more pods than that is beyond what Kubernetes
/// is made for.
const MOST_PAGES: usize = 300;

/// One namespace, for one server.
#[derive(Clone)]
pub struct Place {
    pub client: Client,
    /// The address of the API server, for messages.
    pub url: String,
    pub namespace: String,
    /// The id of our server.
    pub server: String,
}

impl Place {
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The meaning of a library's error.
    pub fn error(&self, error: &kube::Error) -> KubernetesError {
        KubernetesError::of(&self.url, error)
    }

    /// All objects of a kind with some labels, of now. The pages are of one moment.
    pub async fn list<K>(&self, labels: &str) -> Result<Vec<K>, KubernetesError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
        K::DynamicType: Default,
    {
        let api = self.api::<K>();
        // Without a resource version, the API server answers with the newest state of its store.
        let mut params = ListParams::default().labels(labels).limit(PAGE);
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            let page = api
                .list(&params)
                .await
                .map_err(|error| self.error(&error))?;
            let ObjectList {
                metadata, items, ..
            } = page;
            found.extend(items);
            params.continue_token = metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                return Ok(found);
            }
        }
        Err(KubernetesError::Foreign {
            url: self.url.clone(),
            problem: format!("a list has more than {MOST_PAGES} pages of {PAGE}"),
        })
    }
}
