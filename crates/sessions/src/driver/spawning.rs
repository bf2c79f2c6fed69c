//! Starts the actor of a driver.

use std::sync::{Arc, Mutex};

use livius_domain::{DriverProgram, DriverRecord, DriverState, Link};
use tokio::sync::{Notify, mpsc};

use super::actor::{DriverActor, FORCE_GRACE, Origin, Purpose};
use super::rescue::Rescue;
use super::{DriverCore, DriverHandle, DriverView};
use crate::atomic_timestamp::AtomicTimestamp;
use crate::feed::feed;

/// Messages that wait for one actor; a sender that finds the queue full waits.
const MAILBOX: usize = 16;

/// Makes the handle of a driver and starts its actor.
pub(crate) fn spawn(
    core: &Arc<DriverCore>,
    mut record: DriverRecord,
    purpose: Purpose,
    origin: Origin,
) -> Arc<DriverHandle> {
    if origin == Origin::Recovered
        && record.program == DriverProgram::Agent
        && let DriverState::Up { link } = &mut record.state
    {
        // Nothing is known of an agent until it has connected again.
        *link = Link::Recovering;
    }
    let (messages, inbox) = mpsc::channel(MAILBOX);
    let (publisher, reader) = feed(DriverView::of(&record, None), core.clock.now());
    let files = core.launcher.files(&record.id);
    let handle = Arc::new(DriverHandle {
        id: record.id.clone(),
        made_for: record.made_for,
        messages,
        feed: reader,
        token_hash: Mutex::new(record.token_hash.clone()),
        stuck: Notify::new(),
        log: files.log(),
        files,
        start_began: AtomicTimestamp::default(),
        link_lost: AtomicTimestamp::default(),
    });
    core.registry.insert(&handle);
    let grace = match record.program {
        DriverProgram::Agent => FORCE_GRACE,
        DriverProgram::Application => core.config.limits.batch_grace,
    };
    let rescue = Rescue {
        core: Arc::clone(core),
        handle: Arc::clone(&handle),
        feed: publisher.clone(),
        grace,
    };
    let mut actor = DriverActor::new(
        Arc::clone(core),
        Arc::clone(&handle),
        record,
        purpose,
        publisher,
    );
    actor.grace = grace;
    if actor.record.state == DriverState::Queued {
        // Joined here and not in the task: a driver that waits is not overtaken by later ones.
        actor.join_queue();
    } else {
        // Counted before any other driver gets its turn.
        actor.running = core.admission.recovered();
    }
    core.lifecycle
        .spawn_owner(Box::new(actor).run(origin, inbox), || rescue.run());
    handle
}
