//! The end of the server.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::StopCause;

use super::Sessions;
use crate::config::ShutdownPolicy;
use crate::entry::Entry;
use crate::mailbox::{Mailbox, tell_all};
use crate::message::Message;
use crate::view::SessionView;

/// The time that it may take to end all drivers by force.
const FORCE_WAIT: Duration = Duration::from_secs(10);

/// The time that the server's own tasks may take to end.
const TASKS_WAIT: Duration = Duration::from_secs(5);

impl Sessions {
    /// Ends the application in good order: it creates nothing more, stops every session or leaves
    /// its driver alive, then ends the tasks. A deleted session ends under each policy. Returns
    /// false when something was left at the deadline.
    pub async fn shutdown(&self, policy: ShutdownPolicy, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let to_end = || match policy {
            ShutdownPolicy::Keep => self.core.registry.all_hidden(),
            ShutdownPolicy::Stop => self.core.registry.all(),
        };
        let pools = async {
            if policy == ShutdownPolicy::Stop {
                self.stop_pools().await;
            }
        };
        let all = async { tokio::join!(stop_all(to_end), pools) };
        let all_stopped = tokio::time::timeout(deadline, all).await.is_ok()
            || match policy {
                ShutdownPolicy::Keep => end_all(to_end(), FORCE_WAIT).await,
                ShutdownPolicy::Stop => self.end_by_force(FORCE_WAIT).await,
            };
        self.core.lifecycle.finish(TASKS_WAIT).await && all_stopped
    }

    /// Becomes ready when a part of the application has failed: it can only be shut down then.
    pub async fn failed(&self) {
        self.core.lifecycle.draining().await;
    }

    /// Ends every driver by force, now. Returns false when some were left at the deadline.
    pub async fn end_by_force(&self, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let pools = tokio::time::timeout(deadline, self.pools.end_by_force());
        let (sessions, pools) = tokio::join!(end_all(self.core.registry.all(), deadline), pools);
        sessions && pools.is_ok()
    }

    /// A session that is being created may have a driver of a pool in its hand.
    async fn stop_pools(&self) {
        drop(self.core.registering.write().await);
        self.pools.stop_all().await;
    }

    /// Ends all tasks at once and leaves every driver as it is, as a crash does.
    pub async fn abandon(&self) {
        self.core.lifecycle.finish(TASKS_WAIT).await;
    }
}

/// Stops sessions until there are none to end: one that was being created may join after the first
/// round.
async fn stop_all(to_end: impl Fn() -> Vec<Arc<Entry>>) {
    loop {
        let entries = to_end();
        if entries.is_empty() {
            return;
        }
        tell_all(mailboxes(&entries), |reply| Message::Stop {
            cause: StopCause::Shutdown,
            reply: Some(reply),
        })
        .await;
    }
}

/// Ends sessions by force. Returns false when some were left at the deadline.
async fn end_all(entries: Vec<Arc<Entry>>, deadline: Duration) -> bool {
    let all = tell_all(mailboxes(&entries), |reply| Message::EndByForce { reply });
    tokio::time::timeout(deadline, all).await.is_ok()
}

fn mailboxes(entries: &[Arc<Entry>]) -> impl Iterator<Item = &Mailbox<Message, SessionView>> {
    entries.iter().map(|entry| &entry.mailbox)
}
