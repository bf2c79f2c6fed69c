//! Creating batches.

use std::sync::Arc;

use livius_domain::{BatchRequest, Made};
use livius_failpoint::{Point, reach};
use livius_store::NewBatch;
use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::actor::Places;
use super::{ActingOnBatches, Batches};
use crate::driver::Origin;
use crate::error::SessionError;
use crate::judged::Judged;
use crate::request;
use crate::view::BatchView;

impl ActingOnBatches<'_> {
    /// Creates a batch: it is stored and shown as starting. It starts after the response, when its
    /// turn has come.
    pub async fn create(&self, mut request: BatchRequest) -> Result<Arc<BatchView>, SessionError> {
        let (core, caller) = (self.core, self.caller);
        if core.lifecycle.is_draining() {
            return Err(SessionError::ShuttingDown);
        }
        let judged = self.judge(&mut request).await.granted()?;
        let places = self.places(&request)?;
        let new = NewBatch {
            request,
            owner: caller.user.clone(),
            proxy_user: judged.proxy_user,
            created_at: core.clock.now(),
            key: self.key.as_ref().map(|key| key.row().clone()),
            webhook: judged.webhook,
        };
        // The client may hang up at any moment, and the server finishes the creation.
        let (reply, registered) = oneshot::channel();
        let batches = self.batches.clone();
        let claimed = self.key.clone();
        let creation = async move {
            let _claimed = claimed;
            let _ = reply.send(batches.register(new, places).await);
        };
        core.lifecycle.spawn(creation.in_current_span());
        registered.await.map_err(|_| SessionError::ShuttingDown)?
    }

    /// Judges a request before anything is made.
    pub(crate) async fn judge(&self, request: &mut BatchRequest) -> Judged {
        let (core, webhook) = (self.core, self.webhook.as_deref());
        let checked = request::check_batch(&core.config, &*core.launcher, request).await;
        Judged::of(core, self.caller, checked, &mut request.submit, webhook).await
    }

    pub(crate) fn places(&self, request: &BatchRequest) -> Result<Places, SessionError> {
        let limits = &self.core.config.limits;
        let waiting = Arc::clone(&self.core.places).try_acquire_owned();
        let waiting = waiting.map_err(|_| SessionError::TooManyBatches {
            limit: limits.waiting_batches,
        })?;
        let limit = limits.batch_requests_bytes;
        let held = self.core.texts.try_hold(request.bytes(), limit);
        Ok(Places {
            waiting: Some(waiting),
            held: held.ok_or(SessionError::TooLongBatches { limit })?,
        })
    }
}

impl Batches {
    async fn register(
        &self,
        new: NewBatch,
        places: Places,
    ) -> Result<Arc<BatchView>, SessionError> {
        // Older batches that wait are in the queue before it.
        self.all_taken_up().await;
        let _registering = self.core.registering.read().await;
        let store = &self.core.store;
        let mut record = store
            .create_batch(new)
            .await
            .map_err(SessionError::not_created)?;
        reach(Point::BatchCreated);
        let driver = match self.new_driver(&mut record).await {
            Ok(driver) => driver,
            Err(error) => {
                // The request is refused, so no client may see the batch. The next server ends a
                // batch that is neither listed nor begun.
                let _ = store.withdraw(Made::Batch(record.id)).await;
                return Err(error);
            }
        };
        reach(Point::BatchSeated);
        let entry = self.spawn_actor(record, driver, Origin::New, false, places);
        Ok(entry.view())
    }
}
