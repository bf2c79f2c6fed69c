//! When the server ends a session by itself: heartbeats, idleness, lifetimes, starts that hang, and
//! drivers that stay away.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::{Expiry, SessionState, StopCause, duration};

use crate::config::Config;
use crate::entry::Entry;

/// The time that a driver may take to end, after `sessions.link_grace` without the server.
const LAST_LOOK: Duration = Duration::from_secs(30);

/// The times at which the session ends, each for its reason, as it is now.
pub fn expiries(config: &Config, entry: &Entry) -> Vec<Expiry> {
    let view = entry.view();
    let (record, limits) = (&view.record, &config.limits);
    let request = &record.request;
    let after = |cause, time: Option<Timestamp>, timeout: Duration| {
        // A time beyond the calendar never comes.
        let at = time?.checked_add(timeout).ok()?;
        Some(Expiry { at, cause })
    };
    let is_running = match &record.state {
        SessionState::Starting => false,
        SessionState::Running => true,
        SessionState::Stopping { .. } | SessionState::Ended(_) => return Vec::new(),
    };
    let hangs = if is_running {
        let patience = limits.link_grace + LAST_LOOK;
        after(
            StopCause::Unreachable,
            entry.driver.link_lost.get(),
            patience,
        )
    } else {
        let began = entry.driver.start_began.get();
        after(StopCause::StartTimeout, began, limits.start_timeout)
    };
    // A client that sends a long file, or waits for a change, makes no other request in that time.
    let receives = entry.resource_places.available_permits() < limits.pending_resources;
    let is_present = receives || entry.waiting.load(Ordering::Relaxed) > 0;
    let heartbeat = request.heartbeat_timeout().filter(|_| !is_present);
    let heartbeat =
        heartbeat.and_then(|timeout| after(StopCause::Heartbeat, entry.touched.get(), timeout));
    let ttl = wanted(request.ttl.as_deref()).or(limits.session_ttl);
    let ttl = ttl.and_then(|ttl| after(StopCause::Ttl, Some(record.created_at), ttl));
    let works = view.busy || receives || !entry.open_jobs.is_empty();
    let idle = wanted(request.idle_timeout.as_deref()).unwrap_or(limits.idle_timeout);
    // A timeout of 0 means never.
    let may_be_idle = is_running && !works && !idle.is_zero();
    let used = Some(record.last_activity).filter(|_| may_be_idle);
    let idle = after(StopCause::IdleTimeout, used, idle);
    [hangs, heartbeat, ttl, idle]
        .into_iter()
        .flatten()
        .collect()
}

fn wanted(text: Option<&str>) -> Option<Duration> {
    duration::parse(text?).ok()
}
