//! The task that watches time: heartbeats, idleness, lifetimes, starts that hang, and drivers that
//! stay away.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::{SessionState, StopCause, duration};

use crate::entry::{Core, Entry};
use crate::message::Message;
use crate::view::SessionView;

const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Sweeps until the server stops.
pub async fn run(core: Arc<Core>) {
    let mut sweep_timer = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        tokio::select! {
            biased;
            () = core.lifecycle.stopping() => return,
            _ = sweep_timer.tick() => sweep_once(&core),
        }
    }
}

/// Asks every overdue session to stop. If a session cannot take the message now, the next sweep
/// asks it again.
pub fn sweep_once(core: &Core) {
    let now = core.clock.now();
    for entry in core.registry.all() {
        if let Some(cause) = overdue(core, &entry, now) {
            // Livy unlists every expired session. We unlist only those whose heartbeat stopped: no
            // client is left to read them.
            let message = match cause {
                StopCause::Heartbeat => Message::Delete { cause, reply: None },
                _ => Message::Stop { cause, reply: None },
            };
            entry.mailbox.post(message);
        }
    }
}

fn overdue(core: &Core, entry: &Entry, now: Timestamp) -> Option<StopCause> {
    let view = entry.view();
    let limits = &core.config.limits;
    let since = |time: Timestamp| Duration::try_from(now.duration_since(time)).unwrap_or_default();
    match &view.record.state {
        SessionState::Starting => {
            if let Some(began) = entry.driver.start_began.get()
                && since(began) > limits.start_timeout
            {
                return Some(StopCause::StartTimeout);
            }
        }
        SessionState::Running => {
            if let Some(lost) = entry.driver.link_lost.get()
                && since(lost) > limits.link_grace + Duration::from_secs(30)
            {
                return Some(StopCause::Unreachable);
            }
        }
        SessionState::Stopping { .. } | SessionState::Ended(_) => return None,
    }
    // A client that sends a long file, or waits for a change, makes no other request in that time.
    let receives = entry.resource_places.available_permits() < limits.pending_resources;
    let is_present = receives || entry.waiting.load(Ordering::Relaxed) > 0;
    let request = &view.record.request;
    if let (Some(timeout), Some(touched)) = (request.heartbeat_timeout(), entry.touched.get())
        && !is_present
        && since(touched) > timeout
    {
        return Some(StopCause::Heartbeat);
    }
    let ttl = request
        .ttl
        .as_deref()
        .and_then(|text| duration::parse(text).ok())
        .or(limits.session_ttl);
    if ttl.is_some_and(|ttl| since(view.record.created_at) > ttl) {
        return Some(StopCause::Ttl);
    }
    let works = view.busy || receives || !entry.open_jobs.is_empty();
    (!works && is_idle_too_long(&view, limits.idle_timeout, since))
        .then_some(StopCause::IdleTimeout)
}

/// Tells whether a session that runs, and has nothing to do, was last used too long ago; 0 means
/// never.
fn is_idle_too_long(
    view: &SessionView,
    default: Duration,
    since: impl Fn(Timestamp) -> Duration,
) -> bool {
    let running = view.record.state == SessionState::Running;
    let asked = view
        .record
        .request
        .idle_timeout
        .as_deref()
        .and_then(|text| duration::parse(text).ok());
    let timeout = asked.unwrap_or(default);
    running && !timeout.is_zero() && since(view.record.last_activity) > timeout
}
