//! Creating sessions.

use std::sync::Arc;

use livius_domain::{Made, SessionRequest, StopCause};
use livius_failpoint::{Point, reach};
use livius_store::NewSession;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::Instrument as _;

use super::{ActingOnSessions, Sessions};
use crate::action::Action;
use crate::error::SessionError;
use crate::message::Message;
use crate::policy::{Caller, Subject, admit};
use crate::request;
use crate::view::SessionView;
use crate::webhooks;

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
        request::check_session(&core.config, &*core.launcher, &request).await?;
        let asked = request.submit.proxy_user.as_deref();
        let proxy_user = request::effective_user(&core.config, caller, asked)?;
        let subject = Subject {
            owner: caller.user.as_deref(),
            proxy_user: proxy_user.as_deref(),
        };
        let name = request.submit.name.as_deref().unwrap_or("a session");
        admit(&*core.config.policy, caller, Action::Create, subject, &name)?;
        let webhook = webhooks::of_request(
            core.config.webhooks.as_ref(),
            &*core.store,
            self.webhook.as_deref(),
            &mut request.submit.conf,
        )
        .await?;
        core.launcher.check_room().map_err(SessionError::NoRoom)?;
        let place = self.sessions.place().await?;
        let new = NewSession {
            request,
            owner: caller.user.clone(),
            proxy_user,
            created_at: core.clock.now(),
            key: self.key.as_ref().map(|key| key.row().clone()),
            webhook,
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
