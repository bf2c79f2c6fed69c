//! Gives the pod of a driver the objects of the administrator's template.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use livius_kubernetes::{DriverPod, KubernetesError, Namespace, Template, Unmade};
use tokio::sync::watch;
use tokio::time::sleep;

use super::ending;
use super::log::PodLog;

/// The pause before another attempt.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest reason that the log gives, in characters.
const MAX_CHARS: usize = 500;

/// The objects of one driver.
pub(super) struct PodObjects {
    template: Option<Arc<Template>>,
    namespace: Namespace,
    log: Arc<PodLog>,
    /// The pod as it was seen last.
    pod: watch::Sender<Option<DriverPod>>,
}

impl PodObjects {
    pub(super) fn new(
        template: Option<Arc<Template>>,
        namespace: Namespace,
        log: Arc<PodLog>,
    ) -> Self {
        Self {
            template,
            namespace,
            log,
            pod: watch::Sender::new(None),
        }
    }

    /// Tells the pod of the driver.
    pub(super) fn tell(&self, told: &DriverPod) {
        if self.template.is_none() || told.deleting || ending::is_final(told) {
            return;
        }
        self.pod.send_if_modified(|pod| {
            let is_new = pod.as_ref().is_none_or(|pod| pod.uid != told.uid);
            *pod = Some(told.clone());
            is_new
        });
    }

    /// Makes the objects of each pod, without end.
    pub(super) async fn keep_making(&self) -> Infallible {
        let Some(template) = &self.template else {
            return std::future::pending().await;
        };
        let mut pods = self.pod.subscribe();
        pods.mark_changed();
        loop {
            // The sender lives as long as this does.
            if pods.changed().await.is_err() {
                return std::future::pending().await;
            }
            let Some(pod) = pods.borrow_and_update().clone() else {
                continue;
            };
            while self.is_to_try_again(template, &pod).await {
                sleep(PAUSE).await;
                if pods.has_changed().unwrap_or(true) {
                    break;
                }
            }
        }
    }

    /// Makes the objects that are not there. A line of the driver's log tells what the API server
    /// refuses: the driver does not need it.
    async fn is_to_try_again(&self, template: &Template, pod: &DriverPod) -> bool {
        let unmade = self.namespace.put_objects(template, pod).await;
        let may_pass = |one: &Unmade| matches!(one.error, KubernetesError::Away { .. });
        let (later, refused): (Vec<_>, Vec<_>) = unmade.into_iter().partition(may_pass);
        for one in &later {
            tracing::debug!(
                pod = pod.name,
                object = one.name,
                error = %one.error,
                "cannot make an object of a driver now"
            );
        }
        if !later.is_empty() {
            return true;
        }
        if !refused.is_empty() {
            self.log
                .tell_refusals(refused.iter().map(line).collect())
                .await;
        }
        false
    }
}

fn line(unmade: &Unmade) -> String {
    let Unmade { kind, name, error } = unmade;
    let reason: String = error.to_string().chars().take(MAX_CHARS).collect();
    let reason = reason.replace(['\n', '\r'], " ");
    format!(
        "cannot make the {kind} {name} of kubernetes.ingress, so Spark's pages may not be reachable: {reason}"
    )
}
