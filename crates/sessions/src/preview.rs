//! Previews: the server tells what would come of a request, and does none of it.

use livius_domain::pool::PoolOutcome;
use livius_domain::{
    BatchId, BatchRequest, DriverId, Failure, NewJob, NewStatement, QueuePlace, SessionId,
    SessionRequest,
};
use livius_launch::LaunchPreview;
use tokio::sync::oneshot;

use crate::action::Action;
use crate::batches::ActingOnBatches;
use crate::core::Core;
use crate::error::SessionError;
use crate::judged::Judged;
use crate::message::{Check, Message};
use crate::registry::Live;
use crate::request;
use crate::service::ActingOnSessions;
use crate::view::SessionRef;
use crate::webhooks;

/// The preview of a request for a session or a batch.
#[derive(Debug)]
pub struct Preview {
    /// The reasons for which the server would refuse the request. Without any it would grant it.
    pub refusals: Vec<SessionError>,
    /// The user that it would run as; `None` when impersonation is off.
    pub proxy_user: Option<String>,
    /// The launch, or the reason why it would fail. `None` if the request itself is refused.
    pub launch: Option<Result<LaunchPreview, Failure>>,
    /// The outcome of the pools for a session.
    pub pool: Option<PoolOutcome>,
    /// The place that its driver would have in the queue.
    pub queue: QueuePlace,
}

impl ActingOnSessions<'_> {
    /// Tells what would come of a request for a session.
    pub async fn preview(&self, mut asked: SessionRequest) -> Preview {
        let core = self.core;
        let mut judged = self.judge(&mut asked).await;
        // The caller is told nothing of a session that it may not have.
        let is_shown = judged.refusals.is_empty();
        let has_place = core.places.available_permits() > 0 || self.sessions.pools.has_places();
        judged.note(has_place.then_some(()).ok_or(SessionError::TooManySessions));
        let (mut launch, mut pool) = (None, None);
        if is_shown {
            let user = judged.proxy_user.clone();
            // Its number is not known before it is stored.
            let name = request::session_name("N");
            let id = DriverId::for_session(SessionId(0), [0; 6]);
            let order =
                request::session_order(&core.config, &asked, user.clone(), id, name.clone());
            launch = Some(core.launcher.preview(order).await);
            let pools = &self.sessions.pools;
            pool = Some(pools.preview(&asked, self.caller, user, name).await);
        }
        Preview {
            pool,
            ..Preview::of(core, judged, launch)
        }
    }

    /// Tells whether a statement could be posted.
    pub async fn preview_run(
        &self,
        which: &SessionRef,
        new: &NewStatement,
    ) -> Result<(), SessionError> {
        self.check_size(&new.code)?;
        let hooks = self.core.config.webhooks.as_ref();
        webhooks::of_header(hooks, &*self.core.store, self.webhook.as_deref()).await?;
        let (bytes, kind) = (new.code.len(), new.kind);
        self.check(which, Check::Statement { bytes, kind }).await
    }

    /// Tells whether a job could be submitted.
    pub async fn preview_job(&self, which: &SessionRef, new: &NewJob) -> Result<(), SessionError> {
        let bytes = new.payload.len();
        self.check(which, Check::Job { bytes }).await
    }

    async fn check(&self, which: &SessionRef, check: Check) -> Result<(), SessionError> {
        let entry = self.needed(which, Action::Change).await?;
        let message = |reply: oneshot::Sender<_>| Message::Check { check, reply };
        entry.mailbox.ask(message).await?
    }
}

impl ActingOnBatches<'_> {
    /// Tells what would come of a request for a batch.
    pub async fn preview(&self, mut asked: BatchRequest) -> Preview {
        let core = self.core;
        let mut judged = self.judge(&mut asked).await;
        let is_shown = judged.refusals.is_empty();
        judged.note(self.places(&asked).map(drop));
        let mut launch = None;
        if is_shown {
            let user = judged.proxy_user.clone();
            let id = DriverId::for_batch(BatchId(0), [0; 6]);
            let order = request::application_order(&core.config, &asked, user, id);
            launch = Some(core.launcher.preview(order).await);
        }
        Preview::of(core, judged, launch)
    }
}

impl Preview {
    fn of<E: Live>(
        core: &Core<E>,
        judged: Judged,
        launch: Option<Result<LaunchPreview, Failure>>,
    ) -> Self {
        let draining = core.lifecycle.is_draining();
        let draining = draining.then_some(SessionError::ShuttingDown);
        Self {
            refusals: draining.into_iter().chain(judged.refusals).collect(),
            proxy_user: judged.proxy_user,
            launch,
            pool: None,
            queue: core.drivers.admission.next_place(),
        }
    }
}
