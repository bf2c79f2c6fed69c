//! Creating sessions.

use std::sync::Arc;

use livius_domain::{Made, SessionRequest, StopCause};
use livius_failpoint::{Point, reach};
use livius_store::NewSession;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::Instrument as _;

use super::{ActingOnSessions, Sessions};
use crate::error::SessionError;
use crate::judged::Judged;
use crate::message::Message;
use crate::policy::Caller;
use crate::request;
use crate::view::SessionView;

impl ActingOnSessions<'_> {
    /// Creates a session: it is stored and shown as starting. Its driver starts after the response.
    pub async fn create(
        &self,
        mut request: SessionRequest,
    ) -> Result<Arc<SessionView>, SessionError> {
        let (core, caller) = (self.core, self.caller);
        if core.lifecycle.is_draining() {
            return Err(SessionError::ShuttingDown);
        }
        let judged = self.judge(&mut request).await.granted()?;
        let place = self.sessions.place().await?;
        let new = NewSession {
            request,
            owner: caller.user.clone(),
            proxy_user: judged.proxy_user,
            created_at: core.clock.now(),
            key: self.key.as_ref().map(|key| key.row().clone()),
            webhook: judged.webhook,
        };
        // The client may hang up at any moment, and the server finishes the creation.
        let (reply, registered) = oneshot::channel();
        let (sessions, caller) = (self.sessions.clone(), caller.clone());
        let claimed = self.key.clone();
        let creation = async move {
            let _claimed = claimed;
            let _ = reply.send(sessions.register(new, &caller, place).await);
        };
        core.lifecycle.spawn(creation.in_current_span());
        registered.await.map_err(|_| SessionError::ShuttingDown)?
    }

    /// Judges a request before anything is made.
    pub(crate) async fn judge(&self, request: &mut SessionRequest) -> Judged {
        let (core, webhook) = (self.core, self.webhook.as_deref());
        let checked = request::check_session(&core.config, &*core.launcher, request).await;
        Judged::of(core, self.caller, checked, &mut request.submit, webhook).await
    }
}

impl Sessions {
    async fn register(
        &self,
        new: NewSession,
        caller: &Caller,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Arc<SessionView>, SessionError> {
        let _registering = self.core.registering.read().await;
        let store = &self.core.store;
        let mut record = store
            .create_session(new)
            .await
            .map_err(SessionError::not_created)?;
        reach(Point::SessionCreated);
        let seat = match self.seat(&mut record, caller, place).await {
            Ok(seat) => seat,
            Err(error) => {
                // The request is refused, so no client may see the session. The next server ends a
                // session that is neither listed nor begun.
                let _ = store.withdraw(Made::Session(record.id)).await;
                return Err(error);
            }
        };
        reach(Point::SessionSeated);
        let entry = self.sit_down(record, seat).await;
        if self.core.lifecycle.is_draining() {
            // The shutdown may have counted its sessions before this one was among them.
            entry.mailbox.post(Message::Stop {
                cause: StopCause::Shutdown,
                reply: None,
            });
        }
        Ok(entry.view())
    }
}
