//! Ends a batch whose actor has panicked.

use std::sync::Arc;

use livius_domain::{BatchEnd, BatchOutcome, BatchState, Failure, StopCause, chain};

use super::actor::{Actor, ActorSetup, Places};
use super::entry::{Core, Entry};
use crate::feed::Publisher;
use crate::rescue::{self, Unlisted};
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
    let record = rescue::record(
        &core.lifecycle,
        || core.store.batch(entry.id),
        |error| tracing::error!(batch.id = %entry.id, error = %chain(error), "cannot read the batch; trying again"),
    );
    let Some(mut record) = record.await else {
        return;
    };
    record.state = BatchState::Ended(BatchEnd {
        outcome: BatchOutcome::Failed,
        cause: None,
        failure: Some(Failure::server_fault()),
        exit: driver.departure.map(|departure| departure.exit),
    });
    let setup = ActorSetup {
        places: Places::default(),
        publisher,
    };
    Actor::new(core, entry, record, setup).end_by_fault().await;
}
