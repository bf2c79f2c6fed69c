//! The events of a pod: what the scheduler, the node and the controllers did with it.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;

use crate::error::KubernetesError;
use crate::names::check_name;
use crate::place::Place;
use crate::pod::{DriverPod, time};
use crate::text::{message, name};

/// The most events that are read, and of them the most that are told: the last ones. Kubernetes
/// keeps them for an hour, and counts repeated ones instead of storing each.
const MOST_READ: u32 = 500;
const MOST_TOLD: usize = 50;

/// Something that happened to a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The reason in one word, such as `FailedScheduling` or `Pulling`.
    pub reason: String,
    /// The reason in words. Cut after 1000 bytes.
    pub message: String,
    /// Whether it tells of a problem.
    pub is_warning: bool,
    /// The time at which it happened last.
    pub at: Option<Timestamp>,
    /// How often it happened.
    pub count: u32,
}

/// The events of a pod, the newest last.
pub async fn of(place: &Place, pod: &DriverPod) -> Result<Vec<Notice>, KubernetesError> {
    // The id goes into a selector.
    check_name("the id of a pod", &pod.uid)?;
    let fields = format!("involvedObject.uid={}", pod.uid);
    let params = ListParams::default().fields(&fields).limit(MOST_READ);
    let events = place.api::<Event>().list(&params).await;
    let events = events.map_err(|error| place.error(&error))?;
    let mut notices: Vec<Notice> = events.items.into_iter().map(Notice::read).collect();
    notices.sort_by_key(|notice| notice.at);
    notices.drain(..notices.len().saturating_sub(MOST_TOLD));
    Ok(notices)
}

impl Notice {
    fn read(event: Event) -> Self {
        let series = event.series.unwrap_or_default();
        // Each of Kubernetes' components fills in other ones of these.
        let times = [
            series.last_observed_time.map(|time| time.0),
            time(event.last_timestamp),
            event.event_time.map(|time| time.0),
            time(event.first_timestamp),
            time(event.metadata.creation_timestamp),
        ];
        let count = series.count.or(event.count).unwrap_or(1);
        Self {
            reason: name(event.reason.unwrap_or_default()),
            message: message(&event.message.unwrap_or_default()),
            is_warning: event.type_.as_deref() == Some("Warning"),
            at: times.into_iter().flatten().next(),
            count: count.try_into().unwrap_or(1),
        }
    }
}
