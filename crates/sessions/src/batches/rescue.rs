//! Ends a batch whose actor has panicked.

use std::sync::Arc;

use livius_domain::{BatchEnd, BatchOutcome, BatchState, Failure, StopCause, chain};

use super::actor::{Actor, ActorSetup, SETTLE_PAUSE_LONGEST};
use super::entry::{Core, Entry};
use crate::feed::Publisher;
use crate::view::BatchView;

/// Ends the batch's driver, and then the batch with a failure that says why. If that fails too, the
/// batch is shown as it is stored.
pub(super) async fn rescue(core: Arc<Core>, entry: Arc<Entry>, publisher: Publisher<BatchView>) {
    tracing::error!(batch.id = %entry.id, "the batch's actor has panicked; ending the batch");
    let _unlisted = Unlisted(Arc::clone(&core), Arc::clone(&entry));
    let driver = entry.driver.stop_and_wait(&core.lifecycle, StopCause::User);
    let Some(driver) = driver.await else {
        return;
    };
    let mut record = loop {
        match core.store.batch(entry.id).await {
            Ok(Some(record)) => break record,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(batch.id = %entry.id, error = %chain(&error), "cannot read the batch; trying again");
            }
        }
        tokio::select! {
            () = core.lifecycle.stopping() => return,
            () = tokio::time::sleep(SETTLE_PAUSE_LONGEST) => {}
        }
    };
    record.state = BatchState::Ended(BatchEnd {
        outcome: BatchOutcome::Failed,
        cause: None,
        failure: Some(Failure::server_fault()),
        exit: driver.departure.map(|departure| departure.exit),
    });
    let setup = ActorSetup {
        waiting: None,
        publisher,
    };
    Actor::new(core, entry, record, setup).end_by_fault().await;
}

/// Takes the batch from the live ones, whatever happens.
struct Unlisted(Arc<Core>, Arc<Entry>);

impl Drop for Unlisted {
    fn drop(&mut self) {
        self.0.registry.remove(&self.1);
    }
}
