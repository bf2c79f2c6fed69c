//! What would come of a request, without any of it being done.

use livius_domain::pool::PoolOutcome;
use livius_domain::{
    BatchId, BatchRequest, DriverId, Failure, NewJob, NewStatement, QueuePlace, SessionId,
    SessionRequest, SubmitOptions,
};
use livius_launch::LaunchPreview;
use tokio::sync::oneshot;

use crate::action::Action;
use crate::batches::ActingOnBatches;
use crate::core::Core;
use crate::error::SessionError;
use crate::message::{Check, Message};
use crate::policy::{Caller, Subject, admit};
use crate::registry::Live;
use crate::request;
use crate::service::ActingOnSessions;
use crate::view::SessionRef;

/// What would come of a request for a session or a batch.
#[derive(Debug)]
pub struct Preview {
    /// Why the server would refuse the request. It would grant one without refusals.
    pub refusals: Vec<SessionError>,
    /// The user that it would run as; `None` when impersonation is off.
    pub proxy_user: Option<String>,
    /// What would be started, or why nothing could be. `None` if the request itself is refused.
    pub launch: Option<Result<LaunchPreview, Failure>>,
    /// What the pools would do for a session.
    pub pool: Option<PoolOutcome>,
    /// The place that its driver would have in the queue.
    pub queue: QueuePlace,
}

impl ActingOnSessions<'_> {
    /// Tells what would come of a request for a session.
    pub async fn preview(&self, asked: SessionRequest) -> Preview {
        let (core, caller) = (self.core(), self.caller());
        let mut refusals = Refusals::default();
        let checked = request::check_session(&core.config, &*core.launcher, &asked).await;
        refusals.note(checked);
        let proxy_user = refusals.of_all(core, caller, &asked.submit);
        // The caller is told nothing of a session that it may not have.
        let is_shown = refusals.0.is_empty();
        let has_place = core.places.available_permits() > 0 || self.pools().has_places();
        refusals.note(has_place.then_some(()).ok_or(SessionError::TooManySessions));
        // Its number is not known before it is stored.
        let name = request::session_name("N");
        let id = DriverId::for_session(SessionId(0), [0; 6]);
        let order =
            request::session_order(&core.config, &asked, proxy_user.clone(), id, name.clone());
        let (mut launch, mut pool) = (None, None);
        if is_shown {
            launch = Some(core.launcher.preview(order).await);
            let user = proxy_user.clone();
            pool = Some(self.pools().preview(&asked, caller, user, name).await);
        }
        Preview {
            refusals: refusals.0,
            proxy_user,
            launch,
            pool,
            queue: core.drivers.admission.next_place(),
        }
    }

    /// Tells whether a statement could be posted.
    pub async fn preview_run(
        &self,
        which: &SessionRef,
        new: &NewStatement,
    ) -> Result<(), SessionError> {
        self.check_size(&new.code)?;
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
    pub async fn preview(&self, asked: BatchRequest) -> Preview {
        let (core, caller) = (self.core(), self.caller());
        let mut refusals = Refusals::default();
        let checked = request::check_batch(&core.config, &*core.launcher, &asked).await;
        refusals.note(checked);
        let proxy_user = refusals.of_all(core, caller, &asked.submit);
        let is_shown = refusals.0.is_empty();
        refusals.note(self.places(&asked).map(drop));
        let id = DriverId::for_batch(BatchId(0), [0; 6]);
        let order = request::application_order(&core.config, &asked, proxy_user.clone(), id);
        let mut launch = None;
        if is_shown {
            launch = Some(core.launcher.preview(order).await);
        }
        Preview {
            refusals: refusals.0,
            proxy_user,
            launch,
            pool: None,
            queue: core.drivers.admission.next_place(),
        }
    }
}

/// All that speaks against a request. A request that is done is refused for the first of them.
#[derive(Default)]
struct Refusals(Vec<SessionError>);

impl Refusals {
    fn note<T>(&mut self, checked: Result<T, SessionError>) -> Option<T> {
        match checked {
            Ok(checked) => Some(checked),
            Err(error) => {
                self.0.push(error);
                None
            }
        }
    }

    /// Notes what refuses sessions and batches alike. Returns the user that would be impersonated.
    fn of_all<E: Live>(
        &mut self,
        core: &Core<E>,
        caller: &Caller,
        submit: &SubmitOptions,
    ) -> Option<String> {
        let config = &core.config;
        if core.lifecycle.is_draining() {
            self.0.push(SessionError::ShuttingDown);
        }
        let user = request::effective_user(config, caller, submit.proxy_user.as_deref());
        let proxy_user = self.note(user).flatten();
        let subject = Subject {
            owner: caller.user.as_deref(),
            proxy_user: proxy_user.as_deref(),
        };
        let name = submit.name.as_deref().unwrap_or("it");
        self.note(admit(
            &*config.policy,
            caller,
            Action::Create,
            subject,
            &name,
        ));
        self.note(core.launcher.check_room().map_err(SessionError::NoRoom));
        proxy_user
    }
}
