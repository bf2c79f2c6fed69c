//! The facts about a session or a batch that its record does not have.

use std::collections::BTreeMap;

use livius_domain::{DriverUse, Expiry, QueuePlace, StartStep};

use crate::batches::ActingOnBatches;
use crate::error::SessionError;
use crate::expiry;
use crate::request;
use crate::service::ActingOnSessions;
use crate::view::{BatchView, SessionRef, SessionView};

/// The facts about a session that its record does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionDetail {
    /// The phases of its start. None are known of a session that an earlier version of the server made.
    pub start: Vec<StartStep>,
    /// Its place in the queue, while its driver waits for the start.
    pub queue: Option<QueuePlace>,
    /// The end of its time, while it lives.
    pub expiry: Option<Expiry>,
    /// Its Spark configuration, with the server's defaults and overrides. It may hold secrets.
    pub conf: BTreeMap<String, String>,
}

/// The facts about a batch that its record does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchDetail {
    /// Its place in the queue, while it waits for its turn.
    pub queue: Option<QueuePlace>,
    /// Its Spark configuration, with the server's defaults and overrides. It may hold secrets.
    pub conf: BTreeMap<String, String>,
}

impl ActingOnSessions<'_> {
    /// Tells everything about a session that the caller was shown.
    pub async fn detail(&self, view: &SessionView) -> Result<SessionDetail, SessionError> {
        let core = self.core;
        let record = &view.record;
        let entry = core.registry.find(&SessionRef::Id(record.id));
        let times = match (&entry, &record.driver) {
            (Some(entry), _) => Some(entry.driver.view().times),
            (None, Some(driver)) => core.store.driver(driver).await?.map(|driver| driver.times),
            (None, None) => None,
        };
        let start = times.map(|times| times.start_of_session(record.created_at));
        let driver = DriverUse::Session(record.id);
        let expiries = entry.map(|entry| expiry::expiries(&core.config, &entry));
        Ok(SessionDetail {
            start: start.unwrap_or_default(),
            queue: core.drivers.admission.place(driver),
            expiry: first(expiries.unwrap_or_default()),
            conf: request::session_conf(&core.config, record),
        })
    }
}

impl ActingOnBatches<'_> {
    /// Tells everything about a batch that the caller was shown.
    pub fn detail(&self, view: &BatchView) -> BatchDetail {
        let core = self.core;
        BatchDetail {
            queue: core
                .drivers
                .admission
                .place(DriverUse::Batch(view.record.id)),
            conf: request::batch_conf(&core.config, &view.record.request),
        }
    }
}

fn first(expiries: Vec<Expiry>) -> Option<Expiry> {
    expiries.into_iter().min_by_key(|expiry| expiry.at)
}
