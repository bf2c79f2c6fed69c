//! Ends a session whose actor has panicked.

use std::sync::Arc;

use livius_domain::{End, Failure, Outcome, SessionState, StopCause, chain};

use super::{Actor, ActorSetup};
use crate::entry::{Core, Entry};
use crate::feed::Publisher;
use crate::rescue::{self, Unlisted};
use crate::view::SessionView;

/// Ends the session's driver, and then the session with a failure that says why. If that fails too,
/// the session is shown as it is stored.
pub(crate) async fn rescue(core: Arc<Core>, entry: Arc<Entry>, publisher: Publisher<SessionView>) {
    tracing::error!(session.id = %entry.id, "the session's actor has panicked; ending the session");
    let _unlisted = Unlisted(Arc::clone(&core), Arc::clone(&entry));
    let driver = entry.driver.stop_and_wait(&core.lifecycle, StopCause::User);
    let Some(driver) = driver.await else {
        return;
    };
    let record = rescue::record(
        &core.lifecycle,
        || core.store.session(entry.id),
        |error| tracing::error!(session.id = %entry.id, error = %chain(error), "cannot read the session; trying again"),
    );
    let Some(record) = record.await else {
        return;
    };
    let setup = ActorSetup {
        place: None,
        publisher,
    };
    let mut actor = Actor::new(core, entry, record, setup);
    actor
        .end_by_fault(End {
            outcome: Outcome::Failed,
            cause: None,
            failure: Some(Failure::server_fault()),
            exit: driver.departure.map(|departure| departure.exit),
        })
        .await;
}

impl Actor {
    async fn end_by_fault(&mut self, end: End) {
        self.record.state = SessionState::Ended(end);
        self.record.ended_at = Some(self.core.clock.now());
        self.note_change();
        self.close().await;
        self.settle().await;
        self.publish();
        self.leave().await;
    }
}
