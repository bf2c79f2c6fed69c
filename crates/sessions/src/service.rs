//! The application's face: what the HTTP edge calls.

mod jobs;
mod open;
mod read;
mod resources;

pub use resources::Upload;

use std::sync::Arc;
use std::time::Duration;

use livius_agent_link::{AgentSocket, MAX_COMMAND_BYTES};
use livius_domain::{DriverId, Kind, NewStatement, SessionRequest, StatementId, StopCause};
use livius_store::NewSession;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::config::ShutdownPolicy;
use crate::core::Core;
use crate::driver::Origin;
use crate::error::{AttachRefused, SessionError};
use crate::message::Message;
use crate::registry::Entry;
use crate::request;
use crate::view::{Caller, SessionRef, SessionView, StatementView};

/// How long a DELETE waits for the driver's end before it answers; the stop goes on in any case.
/// Notebooks give their kernels about five seconds to shut down.
const STOP_WAIT: Duration = Duration::from_secs(4);

/// As a frame for the agent, code may be six times as long: a control character is written in six.
const MAX_CODE_BYTES: usize = MAX_COMMAND_BYTES / 6 - 1024;

/// How long it may take to end all drivers by force.
const FORCE_WAIT: Duration = Duration::from_secs(10);

/// How long a completion may take.
const COMPLETION_WAIT: Duration = Duration::from_secs(5);

/// The sessions of one server. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    core: Arc<Core>,
}

impl Sessions {
    /// Creates a session: it is stored and shown as starting, and its driver is started behind the answer.
    pub async fn create(
        &self,
        caller: &Caller,
        request: SessionRequest,
    ) -> Result<Arc<SessionView>, SessionError> {
        if self.core.lifecycle.is_draining() {
            return Err(SessionError::ShuttingDown);
        }
        request::check_session(&self.core.config, &*self.core.launcher, &request)?;
        let asked = request.submit.proxy_user.as_deref();
        let proxy_user = request::effective_user(&self.core.config, caller, asked)?;
        let place = Arc::clone(&self.core.places)
            .try_acquire_owned()
            .map_err(|_| SessionError::TooManySessions)?;
        let new = NewSession {
            request,
            owner: caller.user.clone(),
            proxy_user,
            created_at: self.core.clock.now(),
        };
        // Whoever asked may hang up at any moment: what was begun is finished all the same.
        let (reply, answer) = oneshot::channel();
        let sessions = self.clone();
        self.core.lifecycle.spawn(async move {
            let _ = reply.send(sessions.register(new, place).await);
        });
        answer.await.map_err(|_| SessionError::ShuttingDown)?
    }

    async fn register(
        &self,
        new: NewSession,
        place: OwnedSemaphorePermit,
    ) -> Result<Arc<SessionView>, SessionError> {
        let _registering = self.core.registering.read().await;
        let store = &self.core.store;
        let mut record = store
            .create_session(new)
            .await
            .map_err(SessionError::not_created)?;
        let driver = match self.new_driver(&mut record).await {
            Ok(driver) => driver,
            Err(error) => {
                // The request is refused, so no client may see the session. The next server ends a
                // session that is neither listed nor begun.
                let _ = store.unlist_session(record.id).await;
                return Err(error);
            }
        };
        let entry = self.spawn_actor(record, driver, Origin::New, false, Some(place));
        if self.core.lifecycle.is_draining() {
            // The shutdown may have counted its sessions before this one was among them.
            let _ = entry.mailbox.messages.try_send(Message::Stop {
                cause: StopCause::Shutdown,
                hide: false,
                reply: None,
            });
        }
        Ok(entry.view())
    }

    /// Stops a session and takes it off the list. Answers once it has ended, or after some seconds: it ends in any case.
    pub async fn delete(&self, which: &SessionRef) -> Result<(), SessionError> {
        if let Some(entry) = self.live_or_coming(which).await? {
            return self.stop_entry(&entry, StopCause::User, true).await;
        }
        let record = self.stored(which).await?;
        self.core.store.unlist_session(record.id).await?;
        Ok(())
    }

    /// Stops a session and keeps it listed. One that has ended already needs no stopping.
    pub async fn stop(&self, which: &SessionRef) -> Result<(), SessionError> {
        match self.live_or_coming(which).await? {
            Some(entry) => self.stop_entry(&entry, StopCause::User, false).await,
            None => Ok(()),
        }
    }

    /// Cancels all of a session's statements. (Livy kills the session instead, which nobody who interrupts wants.)
    pub async fn interrupt(&self, which: &SessionRef) -> Result<(), SessionError> {
        let Some(entry) = self.live(which) else {
            return self.refuse_ended(which).await;
        };
        entry
            .mailbox
            .ask(|reply| Message::Interrupt { reply })
            .await?
    }

    /// Counts as use of the session.
    pub async fn connect(&self, which: &SessionRef) -> Result<Arc<SessionView>, SessionError> {
        if let Some(entry) = self.live(which) {
            let _ = entry.mailbox.messages.try_send(Message::Touch);
        }
        self.get(which).await
    }

    /// Posts a statement: it is stored, and runs when its turn comes.
    pub async fn run(
        &self,
        which: &SessionRef,
        new: NewStatement,
    ) -> Result<StatementView, SessionError> {
        self.check_size(&new.code)?;
        let Some(entry) = self.live(which) else {
            return self.refuse_ended(which).await;
        };
        entry
            .mailbox
            .ask(|reply| Message::Run { new, reply })
            .await?
    }

    /// Cancels a statement; one that is over, or never was, needs no cancelling.
    pub async fn cancel(
        &self,
        which: &SessionRef,
        statement: StatementId,
    ) -> Result<(), SessionError> {
        let Some(entry) = self.live(which) else {
            return self.refuse_ended(which).await;
        };
        entry
            .mailbox
            .ask(|reply| Message::Cancel { statement, reply })
            .await?
    }

    /// Texts to insert at the cursor; none while the session starts or the driver is away.
    pub async fn complete(
        &self,
        which: &SessionRef,
        code: String,
        kind: Option<Kind>,
        cursor: u32,
    ) -> Result<Vec<String>, SessionError> {
        self.check_size(&code)?;
        let Some(entry) = self.live(which) else {
            return self.refuse_ended(which).await;
        };
        let view = entry.view();
        if !view.record.state.accepts_statements() {
            return Err(SessionError::not_active(&view.record.state));
        }
        let kind = kind.unwrap_or(view.record.request.kind);
        if kind == Kind::Shared {
            return Err(SessionError::CompletionNeedsKind);
        }
        let (reply, answer) = oneshot::channel();
        let message = Message::Complete {
            code,
            kind,
            cursor,
            reply,
        };
        entry
            .mailbox
            .messages
            .send(message)
            .await
            .map_err(|_| SessionError::ActorGone)?;
        match tokio::time::timeout(COMPLETION_WAIT, answer).await {
            Ok(Ok(candidates)) => Ok(candidates),
            Ok(Err(_)) | Err(_) => Ok(Vec::new()),
        }
    }

    fn check_size(&self, code: &str) -> Result<(), SessionError> {
        let (size, limit) = (
            code.len(),
            self.core.config.limits.code_bytes.min(MAX_CODE_BYTES),
        );
        if size <= limit {
            return Ok(());
        }
        Err(SessionError::InvalidStatement(format!(
            "code has {size} bytes, more than server.code_limit ({limit}): send the data as a file instead"
        )))
    }

    /// Whether an agent may connect.
    pub fn authorise(&self, driver: &DriverId, token: &str) -> Result<(), AttachRefused> {
        let driver = self.core.drivers.registry.find(driver);
        if driver.ok_or(AttachRefused::UnknownDriver)?.is_token(token) {
            Ok(())
        } else {
            Err(AttachRefused::WrongToken)
        }
    }

    /// Lets an agent in that has connected.
    pub async fn attach(
        &self,
        driver: &DriverId,
        token: &str,
        socket: AgentSocket,
    ) -> Result<(), AttachRefused> {
        self.authorise(driver, token)?;
        let driver = self.core.drivers.registry.find(driver);
        let driver = driver.ok_or(AttachRefused::UnknownDriver)?;
        driver
            .attach(socket)
            .await
            .map_err(|()| AttachRefused::UnknownDriver)
    }

    /// Ends the application in good order: nothing new, then every session stopped (or its driver left to live on), then the tasks.
    /// False when something was left to do at the deadline.
    pub async fn shutdown(&self, policy: ShutdownPolicy, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let all_stopped = match policy {
            ShutdownPolicy::Keep => true,
            ShutdownPolicy::Stop => {
                tokio::time::timeout(deadline, self.stop_all())
                    .await
                    .is_ok()
                    || self.end_by_force(FORCE_WAIT).await
            }
        };
        self.core.lifecycle.finish(Duration::from_secs(5)).await && all_stopped
    }

    /// Becomes ready when a part of the application has failed: it can only be shut down then.
    pub async fn failed(&self) {
        self.core.lifecycle.draining().await;
    }

    /// Ends every driver by force, now. False when some were left at the deadline.
    pub async fn end_by_force(&self, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let all = self.tell_all(|reply| Message::EndByForce { reply });
        tokio::time::timeout(deadline, all).await.is_ok()
    }

    /// Ends all tasks at once and leaves every driver as it is: what is left is what a crash leaves.
    pub async fn abandon(&self) {
        self.core.lifecycle.finish(Duration::from_secs(5)).await;
    }

    async fn stop_all(&self) {
        // A session that was just being created may join after the first round.
        while self.core.registry.len() > 0 {
            self.tell_all(|reply| Message::Stop {
                cause: StopCause::Shutdown,
                hide: false,
                reply: Some(reply),
            })
            .await;
        }
    }

    /// Sends every session a message, and waits for all replies.
    async fn tell_all(&self, message: impl Fn(oneshot::Sender<()>) -> Message) {
        let mut waits = Vec::new();
        for entry in self.core.registry.all() {
            let (reply, ended) = oneshot::channel();
            if entry.mailbox.messages.send(message(reply)).await.is_ok() {
                waits.push(ended);
            }
        }
        for ended in waits {
            let _ = ended.await;
        }
    }

    async fn stop_entry(
        &self,
        entry: &Entry,
        cause: StopCause,
        hide: bool,
    ) -> Result<(), SessionError> {
        let (reply, ended) = oneshot::channel();
        let message = Message::Stop {
            cause,
            hide,
            reply: Some(reply),
        };
        // An actor that is gone has ended in this very moment: that is what was wanted.
        if entry.mailbox.messages.send(message).await.is_err() {
            if hide {
                self.core.store.unlist_session(entry.id).await?;
            }
            return Ok(());
        }
        let _ = tokio::time::timeout(STOP_WAIT, ended).await;
        if hide {
            self.core.store.unlist_session(entry.id).await?;
        }
        Ok(())
    }

    /// The answer to a request that needs a live session: there is none of that name, or it has ended.
    async fn refuse_ended<T>(&self, which: &SessionRef) -> Result<T, SessionError> {
        let record = self.stored(which).await?;
        Err(SessionError::not_active(&record.state))
    }

    /// A live session; being named by a request is its heartbeat.
    fn live(&self, which: &SessionRef) -> Option<Arc<Entry>> {
        let entry = self.core.registry.find(which)?;
        entry.touched.set(self.core.clock.now());
        Some(entry)
    }

    /// A session that has not ended. One that somebody else is just creating comes to life first, as it could not be stopped before.
    async fn live_or_coming(&self, which: &SessionRef) -> Result<Option<Arc<Entry>>, SessionError> {
        if let Some(entry) = self.live(which) {
            return Ok(Some(entry));
        }
        let record = self.stored(which).await?;
        if record.state.is_ended() {
            return Ok(None);
        }
        drop(self.core.registering.write().await);
        Ok(self.live(&SessionRef::Id(record.id)))
    }
}
