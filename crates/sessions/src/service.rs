//! The operations on sessions that the HTTP edge calls.
//!
//! Clients act through [`ActingOnSessions`], which asks the policy. The plain [`Sessions`] has only
//! the operations that agents, the edge's streams and the shutdown need.

mod agents;
mod create;
mod follow;
mod jobs;
mod open;
mod read;
mod resources;
mod seat;
mod shutdown;
mod statements;
mod status;
mod stop;
mod wait;

pub use follow::SessionFeed;
pub use resources::Upload;

use std::sync::Arc;

use livius_domain::SessionRecord;
use livius_domain::pool::PoolStatus;
use livius_metrics::Metrics;

use crate::action::Action;
use crate::audit::Audit;
use crate::entry::{Core, Entry};
use crate::error::SessionError;
use crate::keys::{Keyed, Keys};
use crate::policy::{Caller, Subject, admit};
use crate::pools::Pools;
use crate::view::SessionRef;

/// The sessions of one server. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    core: Arc<Core>,
    pub(crate) pools: Arc<Pools>,
    keys: Keys,
}

impl Sessions {
    /// The pools of drivers that wait for sessions.
    pub fn pools(&self) -> Vec<PoolStatus> {
        self.pools.status()
    }

    /// The operations that clients make, as this client.
    pub fn acting<'a>(&'a self, caller: &'a Caller) -> ActingOnSessions<'a> {
        ActingOnSessions {
            sessions: self,
            core: &self.core,
            caller,
            key: None,
            webhook: None,
        }
    }

    /// The audit log of the server.
    pub fn audit(&self) -> &Audit {
        &self.core.config.audit
    }

    /// The metrics of the server.
    pub fn metrics(&self) -> &Metrics {
        &self.core.config.metrics
    }

    /// The number of drivers of sessions and pools that wait for their start.
    pub fn drivers_waiting(&self) -> usize {
        self.core.drivers.admission.len()
    }

    /// The keys of requests.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// The operations that a client makes on sessions. The policy allows each, or refuses it.
pub struct ActingOnSessions<'a> {
    pub(crate) sessions: &'a Sessions,
    pub(crate) core: &'a Core,
    pub(crate) caller: &'a Caller,
    /// The key of the request, for what the request makes.
    key: Option<Keyed>,
    /// The URL that is to be told of the end of what the request makes.
    pub(crate) webhook: Option<String>,
}

impl ActingOnSessions<'_> {
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

    /// A live session that the caller may act on. A request that names a session is its heartbeat.
    fn live(&self, which: &SessionRef, action: Action) -> Result<Option<Arc<Entry>>, SessionError> {
        let Some(entry) = self.core.registry.find(which) else {
            return Ok(None);
        };
        self.admit(action, &entry.view().record, which)?;
        entry.touched.set(self.core.clock.now());
        Ok(Some(entry))
    }

    /// The same for an operation that needs a live session. An ended one refuses it.
    pub(crate) async fn needed(
        &self,
        which: &SessionRef,
        action: Action,
    ) -> Result<Arc<Entry>, SessionError> {
        if let Some(entry) = self.live(which, action)? {
            return Ok(entry);
        }
        let record = self.stored(which, action).await?;
        Err(SessionError::not_active(&record.state))
    }

    /// A session that has not ended. One that another request is creating comes to life first, as
    /// it could not be stopped before.
    async fn live_or_coming(
        &self,
        which: &SessionRef,
        action: Action,
    ) -> Result<Option<Arc<Entry>>, SessionError> {
        if let Some(entry) = self.live(which, action)? {
            return Ok(Some(entry));
        }
        let record = self.stored(which, action).await?;
        if record.state.is_ended() {
            return Ok(None);
        }
        drop(self.core.registering.write().await);
        self.live(&SessionRef::Id(record.id), action)
    }

    /// A session from the store: one that is not live.
    async fn stored(
        &self,
        which: &SessionRef,
        action: Action,
    ) -> Result<SessionRecord, SessionError> {
        let record = match which {
            SessionRef::Id(id) => self.core.store.session(*id).await?,
            SessionRef::Name(name) => self.core.store.session_named(name).await?,
        };
        let record = record.ok_or_else(|| SessionError::NotFound(which.to_string()))?;
        self.admit(action, &record, which)?;
        Ok(record)
    }

    pub(crate) fn admit(
        &self,
        action: Action,
        record: &SessionRecord,
        which: &SessionRef,
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
