//! Batches: applications that run to their end.
//!
//! Batches have the same shape as sessions: one actor owns each live batch, readers look at the
//! views that it publishes, and the store has the rest. Clients act through [`ActingOnBatches`],
//! which asks the policy.

mod actor;
mod agents;
mod create;
mod entry;
pub(crate) mod message;
mod open;
mod read;
mod rescue;
mod shutdown;
mod status;
mod stop;

pub use agents::ReportRefused;
pub use read::BatchFeed;

use std::sync::Arc;

use livius_domain::BatchRecord;
use tokio::sync::watch;

use crate::action::Action;
use crate::error::SessionError;
use crate::keys::Keyed;
use crate::policy::{Caller, Subject, admit};
use crate::view::BatchRef;
use entry::{Core, Entry};

/// The batches of one server. Cheap to clone.
#[derive(Clone)]
pub struct Batches {
    core: Arc<Core>,
    /// Becomes true when all batches of the store are taken up.
    all_taken_up: watch::Receiver<bool>,
}

impl Batches {
    /// The number of drivers of batches that wait for their start.
    pub fn drivers_waiting(&self) -> usize {
        self.core.drivers.admission.len()
    }

    /// The operations that clients make, as this client.
    pub fn acting<'a>(&'a self, caller: &'a Caller) -> ActingOnBatches<'a> {
        ActingOnBatches {
            batches: self,
            core: &self.core,
            caller,
            key: None,
            webhook: None,
        }
    }
}

/// The operations that a client makes on batches. The policy allows each, or refuses it.
pub struct ActingOnBatches<'a> {
    batches: &'a Batches,
    pub(crate) core: &'a Core,
    pub(crate) caller: &'a Caller,
    /// The key of the request, for what the request makes.
    key: Option<Keyed>,
    /// The URL that is to be told of the end of what the request makes.
    pub(crate) webhook: Option<String>,
}

impl ActingOnBatches<'_> {
    /// The same for a request with this key. What it makes is stored with the key.
    #[must_use]
    pub fn keyed(self, key: Option<Keyed>) -> Self {
        Self { key, ..self }
    }

    /// The same for a request that names this URL. It is told of the end of what the request makes.
    #[must_use]
    pub fn notifying(self, webhook: Option<String>) -> Self {
        Self { webhook, ..self }
    }

    /// A live batch that the caller may act on.
    fn live(&self, which: &BatchRef, action: Action) -> Result<Option<Arc<Entry>>, SessionError> {
        let Some(entry) = self.core.registry.find(which) else {
            return Ok(None);
        };
        self.admit(action, &entry.view().record, which)?;
        Ok(Some(entry))
    }

    /// A batch that has not ended. One that another request is creating comes to life first, as it
    /// could not be ended before.
    async fn live_or_coming(
        &self,
        which: &BatchRef,
        action: Action,
    ) -> Result<Option<Arc<Entry>>, SessionError> {
        if let Some(entry) = self.live(which, action)? {
            return Ok(Some(entry));
        }
        let record = self.stored(which, action).await?;
        if record.state.is_ended() {
            return Ok(None);
        }
        self.batches.all_taken_up().await;
        drop(self.core.registering.write().await);
        self.live(&BatchRef::Id(record.id), action)
    }

    /// A batch from the store: one that is not live.
    async fn stored(&self, which: &BatchRef, action: Action) -> Result<BatchRecord, SessionError> {
        let record = match which {
            BatchRef::Id(id) => self.core.store.batch(*id).await?,
            BatchRef::Name(name) => self.core.store.batch_named(name).await?,
        };
        let record = record.ok_or_else(|| SessionError::NotFound(which.to_string()))?;
        self.admit(action, &record, which)?;
        Ok(record)
    }

    pub(crate) fn admit(
        &self,
        action: Action,
        record: &BatchRecord,
        which: &BatchRef,
    ) -> Result<(), SessionError> {
        let subject = Subject {
            owner: record.owner.as_deref(),
            proxy_user: record.proxy_user.as_deref(),
        };
        admit(
            &*self.core.config.policy,
            self.caller,
            action,
            subject,
            which,
        )
    }
}
