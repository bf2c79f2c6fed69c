//! The end of the server.

use std::time::Duration;

use futures_util::future::join_all;
use livius_domain::StopCause;
use tokio::sync::oneshot;

use super::Batches;
use super::message::Message;
use crate::config::ShutdownPolicy;

/// The time that it may take to end all processes by force.
const FORCE_WAIT: Duration = Duration::from_secs(10);

impl Batches {
    /// Ends the application in good order: it starts nothing more, and keeps or ends the batches'
    /// processes as the policy says. Batches that wait for their turn are left to the next server.
    /// Returns false when something was left at the deadline.
    pub async fn shutdown(&self, policy: ShutdownPolicy, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let all_ended = match policy {
            ShutdownPolicy::Keep => true,
            ShutdownPolicy::Stop => {
                let all = self.tell_all(|reply| Message::Stop {
                    cause: StopCause::Shutdown,
                    hide: false,
                    reply: Some(reply),
                });
                tokio::time::timeout(deadline, all).await.is_ok()
                    || self.end_by_force(FORCE_WAIT).await
            }
        };
        self.core.lifecycle.finish(Duration::from_secs(5)).await && all_ended
    }

    /// Becomes ready when a part of the application has failed: it can only be shut down then.
    pub async fn failed(&self) {
        self.core.lifecycle.draining().await;
    }

    /// Ends every process by force, now. False when some were left at the deadline.
    pub async fn end_by_force(&self, deadline: Duration) -> bool {
        self.core.lifecycle.begin_drain();
        let all = self.tell_all(|reply| Message::EndByForce { reply });
        tokio::time::timeout(deadline, all).await.is_ok()
    }

    /// Ends all tasks at once and leaves every process as it is, like a crash.
    pub async fn abandon(&self) {
        self.core.lifecycle.finish(Duration::from_secs(5)).await;
    }

    /// Sends a message to every batch, and waits for all replies. A batch that waits for its
    /// turn drops its reply. A batch that is stuck does not keep the message from the others.
    async fn tell_all(&self, message: impl Fn(oneshot::Sender<()>) -> Message) {
        self.all_taken_up().await;
        let entries = self.core.registry.all();
        let told = entries.iter().map(async |entry| {
            let _ = entry.mailbox.ask_unless_ended(&message).await;
        });
        join_all(told).await;
    }
}
