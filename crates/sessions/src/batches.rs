//! Batches: applications that run to their end.
//!
//! The shape is that of sessions: one actor owns each live batch, readers look at what it publishes, the store has the rest.

mod actor;
mod core;
mod message;
mod open;
mod read;
mod registry;

use std::sync::Arc;
use std::time::Duration;

use livius_domain::{AppInfo, BatchRequest, DriverId, DriverUse, StopCause};
use livius_store::NewBatch;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::config::ShutdownPolicy;
use crate::driver::Origin;
use crate::error::{AttachRefused, SessionError};
use crate::request;
use crate::view::{BatchRef, BatchView, Caller};
use core::Core;
use message::Message;
use registry::Entry;

/// How long a DELETE waits for the end of the process before it answers; the kill goes on in any case.
const STOP_WAIT: Duration = Duration::from_secs(4);

/// How long it may take to end all processes by force.
const FORCE_WAIT: Duration = Duration::from_secs(10);

/// How long a report waits until clients see what it says.
const FOLLOW_WAIT: Duration = Duration::from_secs(2);

/// The batches of one server. Cheap to clone.
#[derive(Clone)]
pub struct Batches {
    core: Arc<Core>,
}

impl Batches {
    /// Creates a batch: it is stored and shown as starting, and started behind the answer, when its turn has come.
    pub async fn create(
        &self,
        caller: &Caller,
        request: BatchRequest,
    ) -> Result<Arc<BatchView>, SessionError> {
        if self.core.lifecycle.is_draining() {
            return Err(SessionError::ShuttingDown);
        }
        request::check_batch(&self.core.config, &*self.core.launcher, &request)?;
        let proxy_user = request::effective_user(
            &self.core.config,
            caller,
            request.submit.proxy_user.as_deref(),
        )?;
        let place = Arc::clone(&self.core.places).try_acquire_owned();
        let place = place.map_err(|_| SessionError::TooManyBatches {
            limit: self.core.config.limits.waiting_batches,
        })?;
        let new = NewBatch {
            request,
            owner: caller.user.clone(),
            proxy_user,
            created_at: self.core.clock.now(),
        };
        // Whoever asked may hang up at any moment: what was begun is finished all the same.
        let (reply, answer) = oneshot::channel();
        let batches = self.clone();
        self.core.lifecycle.spawn(async move {
            let _ = reply.send(batches.register(new, place).await);
        });
        answer.await.map_err(|_| SessionError::ShuttingDown)?
    }

    async fn register(
        &self,
        new: NewBatch,
        place: OwnedSemaphorePermit,
    ) -> Result<Arc<BatchView>, SessionError> {
        let _registering = self.core.registering.read().await;
        let store = &self.core.store;
        let mut record = store
            .create_batch(new)
            .await
            .map_err(SessionError::not_created)?;
        let driver = match self.new_driver(&mut record).await {
            Ok(driver) => driver,
            Err(error) => {
                // The request is refused, so no client may see the batch. The next server ends a
                // batch that is neither listed nor begun.
                let _ = store.unlist_batch(record.id).await;
                return Err(error);
            }
        };
        let entry = self.spawn_actor(record, driver, Origin::New, false, Some(place));
        Ok(entry.view())
    }

    /// Ends a batch and takes it off the list. Answers once it has ended, or after some seconds: it ends in any case.
    pub async fn delete(&self, which: &BatchRef) -> Result<(), SessionError> {
        if let Some(entry) = self.live(which).await? {
            return self.stop_entry(&entry, true).await;
        }
        let record = self.stored(which).await?;
        if self.core.store.unlist_batch(record.id).await? {
            if let Some(driver) = &record.driver {
                self.core.launcher.files(driver).remove().await;
            }
            Ok(())
        } else {
            Err(SessionError::NotFound(which.to_string()))
        }
    }

    /// Ends a batch and keeps it listed. One that has ended already needs no ending.
    pub async fn kill(&self, which: &BatchRef) -> Result<Arc<BatchView>, SessionError> {
        if let Some(entry) = self.live(which).await? {
            self.stop_entry(&entry, false).await?;
            return Ok(entry.view());
        }
        self.get(which).await
    }

    /// A batch that has not ended. One that somebody else is just creating comes to life first, as it could not be ended before.
    async fn live(&self, which: &BatchRef) -> Result<Option<Arc<Entry>>, SessionError> {
        if let Some(entry) = self.core.registry.find(which) {
            return Ok(Some(entry));
        }
        let record = self.stored(which).await?;
        if record.state.is_ended() {
            return Ok(None);
        }
        drop(self.core.registering.write().await);
        Ok(self.core.registry.find(&BatchRef::Id(record.id)))
    }

    async fn stop_entry(&self, entry: &Entry, hide: bool) -> Result<(), SessionError> {
        let (reply, ended) = oneshot::channel();
        let message = Message::Stop {
            cause: StopCause::User,
            hide,
            reply: Some(reply),
        };
        // An actor that is gone has ended in this very moment: that is what was wanted.
        if entry.messages.send(message).await.is_ok() {
            let _ = tokio::time::timeout(STOP_WAIT, ended).await;
        }
        if hide {
            self.core.store.unlist_batch(entry.id).await?;
        }
        Ok(())
    }

    /// Takes the word of the agent in a batch's process: its application runs. What is answered with `Ok` is stored.
    pub async fn report(
        &self,
        driver: &DriverId,
        token: &str,
        app: AppInfo,
    ) -> Result<(), ReportRefused> {
        let driver = self.core.drivers.registry.find(driver);
        let driver = driver.ok_or(AttachRefused::UnknownDriver)?;
        if !driver.is_token(token) {
            return Err(AttachRefused::WrongToken.into());
        }
        let stored = driver.app_started(app.clone()).await;
        stored.map_err(|error| match error {
            Some(error) => ReportRefused::Store(error),
            None => ReportRefused::Agent(AttachRefused::UnknownDriver),
        })?;
        self.await_app(driver.made_for, &app).await;
        Ok(())
    }

    /// Waits until clients see a batch as its driver has reported it. The batch's actor follows the
    /// driver's at once, so the limit is only for a server that is overloaded.
    async fn await_app(&self, made_for: DriverUse, app: &AppInfo) {
        let DriverUse::Batch(id) = made_for else {
            return;
        };
        if let Some(entry) = self.core.registry.get(id) {
            let mut view = entry.view.clone();
            let seen = view.wait_for(|view| {
                view.record.app.as_ref() == Some(app) || view.record.state.is_ended()
            });
            let _ = tokio::time::timeout(FOLLOW_WAIT, seen).await;
        }
    }

    /// Ends the application in good order: nothing new is started. Batches live on and are taken up by the next server, or are ended, as
    /// the policy says; those that wait for their turn go on waiting in either case. False when something was left to do at the deadline.
    pub async fn shutdown(&self, policy: ShutdownPolicy, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let all_ended = match policy {
            ShutdownPolicy::Keep => true,
            ShutdownPolicy::Stop => {
                let all = self.tell_all(|reply| Message::Stop {
                    cause: StopCause::Shutdown,
                    hide: false,
                    reply: Some(reply),
                });
                tokio::time::timeout(deadline, all).await.is_ok()
                    || self.end_by_force(FORCE_WAIT).await
            }
        };
        self.core.lifecycle.finish(Duration::from_secs(5)).await && all_ended
    }

    /// Becomes ready when a part of the application has failed: it can only be shut down then.
    pub async fn failed(&self) {
        self.core.lifecycle.draining().await;
    }

    /// Ends every process by force, now. False when some were left at the deadline.
    pub async fn end_by_force(&self, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let all = self.tell_all(|reply| Message::EndByForce { reply });
        tokio::time::timeout(deadline, all).await.is_ok()
    }

    /// Ends all tasks at once and leaves every process as it is: what is left is what a crash leaves.
    pub async fn abandon(&self) {
        self.core.lifecycle.finish(Duration::from_secs(5)).await;
    }

    /// Sends a message to every batch, and waits for all replies. Those that wait for their turn drop theirs.
    async fn tell_all(&self, message: impl Fn(oneshot::Sender<()>) -> Message) {
        let mut waits = Vec::new();
        for entry in self.core.registry.all() {
            let (reply, ended) = oneshot::channel();
            if entry.messages.send(message(reply)).await.is_ok() {
                waits.push(ended);
            }
        }
        for ended in waits {
            let _ = ended.await;
        }
    }
}

/// Why the word of a batch's agent is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReportRefused {
    /// It is not who it says, or its batch is over.
    #[error(transparent)]
    Agent(#[from] AttachRefused),
    /// It could not be stored: it is to say it again.
    #[error(transparent)]
    Store(#[from] SessionError),
}
