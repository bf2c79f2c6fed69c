//! The end of the server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use livius_domain::StopCause;
use tokio::sync::oneshot;

use super::Batches;
use super::entry::Entry;
use super::message::Message;
use crate::config::ShutdownPolicy;

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
            tell_all(&to_end(), |reply| Message::Stop {
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

/// Ends batches by force. Returns false when some were left at the deadline.
async fn end_all(entries: Vec<Arc<Entry>>, deadline: Duration) -> bool {
    let all = tell_all(&entries, |reply| Message::EndByForce { reply });
    tokio::time::timeout(deadline, all).await.is_ok()
}

/// Sends batches a message, and waits for all replies. A batch that waits for its turn drops its
/// reply. A batch that is stuck does not keep the message from the others.
async fn tell_all(entries: &[Arc<Entry>], message: impl Fn(oneshot::Sender<()>) -> Message) {
    let told = entries.iter().map(async |entry| {
        let _ = entry.mailbox.ask_unless_ended(&message).await;
    });
    join_all(told).await;
}
