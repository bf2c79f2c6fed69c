//! The namespaces that drivers run in.

use std::sync::Arc;

use livius_domain::Clock;
use livius_kubernetes::{Access, KubernetesError, Namespace};
use tokio::sync::Mutex;

use super::OnKubernetes;
use crate::Spawn;

/// All namespaces. Drivers in one namespace share its watch.
pub(crate) struct Namespaces {
    known: Mutex<Vec<(Key, Namespace)>>,
    spawn: Spawn,
    clock: Arc<dyn Clock>,
}

/// The facts that drivers with one handle share.
#[derive(PartialEq, Eq)]
struct Key {
    access: Access,
    namespace: String,
    server: String,
}

impl Namespaces {
    pub(crate) fn new(spawn: Spawn, clock: Arc<dyn Clock>) -> Self {
        Self {
            known: Mutex::default(),
            spawn,
            clock,
        }
    }

    /// The namespace of a driver.
    pub(crate) async fn of(&self, place: &OnKubernetes) -> Result<Namespace, KubernetesError> {
        let key = Key {
            access: place.access.clone(),
            namespace: place.namespace.clone(),
            server: place.server.clone(),
        };
        let mut known = self.known.lock().await;
        if let Some((_, found)) = known.iter().find(|(other, _)| *other == key) {
            return Ok(found.clone());
        }
        let clock = Arc::clone(&self.clock);
        let opened = Namespace::open(&key.access, &key.namespace, &key.server, clock).await;
        let (namespace, watch) = opened?;
        (self.spawn)(Box::pin(watch.run()));
        known.push((key, namespace.clone()));
        Ok(namespace)
    }
}
