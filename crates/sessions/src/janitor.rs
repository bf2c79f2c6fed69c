//! The task that ends the sessions whose time is over.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::StopCause;

use crate::entry::{Core, Entry};
use crate::expiry;
use crate::message::Message;

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
    let expiries = expiry::expiries(&core.config, entry);
    let over = expiries.iter().find(|expiry| expiry.at < now);
    over.map(|expiry| expiry.cause)
}
