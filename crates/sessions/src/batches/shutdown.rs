//! The end of the server.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::StopCause;

use super::Batches;
use super::entry::Entry;
use super::message::Message;
use crate::config::ShutdownPolicy;
use crate::mailbox::{Mailbox, tell_all};
use crate::view::BatchView;

/// The time that it may take to end all processes by force.
const FORCE_WAIT: Duration = Duration::from_secs(10);

impl Batches {
    /// Ends the application in good order: it starts nothing more, and keeps or ends the batches'
    /// processes as the policy says. Batches that wait for their turn are left to the next server.
    /// A deleted batch ends under each policy. Returns false when something was left at the
    /// deadline.
    pub async fn shutdown(&self, policy: ShutdownPolicy, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let to_end = || match policy {
            ShutdownPolicy::Keep => self.core.registry.all_hidden(),
            ShutdownPolicy::Stop => self.core.registry.all(),
        };
        let ended = async {
            if policy == ShutdownPolicy::Stop {
                self.all_taken_up().await;
            }
            tell_all(mailboxes(&to_end()), |reply| Message::Stop {
                cause: StopCause::Shutdown,
                reply: Some(reply),
            })
            .await;
        };
        let all_ended = tokio::time::timeout(deadline, ended).await.is_ok()
            || end_all(to_end(), FORCE_WAIT).await;
        self.core.lifecycle.finish(Duration::from_secs(5)).await && all_ended
    }

    /// Becomes ready when a part of the application has failed: it can only be shut down then.
    pub async fn failed(&self) {
        self.core.lifecycle.draining().await;
    }

    /// Ends every process by force, now. False when some were left at the deadline.
    pub async fn end_by_force(&self, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let all = async {
            self.all_taken_up().await;
            end_all(self.core.registry.all(), deadline).await
        };
        tokio::time::timeout(deadline, all)
            .await
            .is_ok_and(|ended| ended)
    }

    /// Ends all tasks at once and leaves every process as it is, like a crash.
    pub async fn abandon(&self) {
        self.core.lifecycle.finish(Duration::from_secs(5)).await;
    }
}

/// Ends batches by force. A batch that waits for its turn drops its reply. Returns false when some were
/// left at the deadline.
async fn end_all(entries: Vec<Arc<Entry>>, deadline: Duration) -> bool {
    let all = tell_all(mailboxes(&entries), |reply| Message::EndByForce { reply });
    tokio::time::timeout(deadline, all).await.is_ok()
}

fn mailboxes(entries: &[Arc<Entry>]) -> impl Iterator<Item = &Mailbox<Message, BatchView>> {
    entries.iter().map(|entry| &entry.mailbox)
}
