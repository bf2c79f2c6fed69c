//! Ends a session whose actor has panicked.

use std::sync::Arc;

use livius_domain::{End, Failure, Outcome, SessionState, StopCause, chain};

use super::effects::SETTLE_PAUSE_LONGEST;
use super::{Actor, ActorSetup};
use crate::entry::{Core, Entry};
use crate::feed::Publisher;
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
    let record = loop {
        match core.store.session(entry.id).await {
            Ok(Some(record)) => break record,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(session.id = %entry.id, error = %chain(&error), "cannot read the session; trying again");
            }
        }
        tokio::select! {
            () = core.lifecycle.stopping() => return,
            () = tokio::time::sleep(SETTLE_PAUSE_LONGEST) => {}
        }
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

/// Takes the session from the live ones, whatever happens.
struct Unlisted(Arc<Core>, Arc<Entry>);

impl Drop for Unlisted {
    fn drop(&mut self) {
        self.0.registry.remove(&self.1);
    }
}

impl Actor {
    async fn end_by_fault(&mut self, end: End) {
        self.record.state = SessionState::Ended(end);
        self.record.ended_at = Some(self.core.clock.now());
        self.note_change();
        self.explain_end().await;
        self.settle().await;
        self.publish();
        self.leave().await;
    }
}
