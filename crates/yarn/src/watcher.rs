//! The one task that asks for the list of all followed applications.

use std::sync::{Arc, Weak};
use std::time::Duration;

use livius_domain::{Clock, chain};
use tokio::sync::Notify;

use crate::application::{TAGS_IN_A_REQUEST, with_tags};
use crate::error::YarnError;
use crate::follow::Registry;
use crate::managers::Managers;

/// The shortest pause between two rounds, so that many impatient followers share one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// Asks the cluster for the followed applications, while there are some. Followers wait for its
/// [`run`](Self::run).
pub struct Watcher {
    pub(crate) managers: Arc<Managers>,
    /// The cluster's handles and the followers own the register. When they are gone, the work is
    /// done.
    pub(crate) registry: Weak<Registry>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tick: Duration,
}

impl Watcher {
    /// Runs until the cluster and all its followers are dropped. It can be dropped at any time; the
    /// followers then learn nothing new.
    pub async fn run(self) {
        let mut is_away = false;
        while let Some(registry) = self.registry.upgrade() {
            let round = registry.begin();
            if round.tags.is_empty() {
                drop(registry);
                self.wake.notified().await;
                continue;
            }
            let mut parts = round.tags.chunks(TAGS_IN_A_REQUEST);
            let mut list = Ok(Vec::new());
            for part in parts.by_ref() {
                list = with_tags(&self.managers, part).await;
                registry.publish(&round, part, &list, self.clock.now());
                if list.is_err() {
                    break;
                }
            }
            // Each further request of this round would wait for its timeout, too.
            for part in parts {
                registry.publish(&round, part, &list, self.clock.now());
            }
            is_away = log_change(is_away, list.err().as_ref());
            drop(registry);
            self.pause().await;
        }
    }

    async fn pause(&self) {
        tokio::time::sleep(SHORTEST_PAUSE).await;
        let rest = self.tick.saturating_sub(SHORTEST_PAUSE);
        // Both ends of the wait mean the same: it is time for a round.
        let _ = tokio::time::timeout(rest, self.wake.notified()).await;
    }
}

/// Logs the start and the end of an outage. Tells whether there is one.
fn log_change(was_away: bool, error: Option<&YarnError>) -> bool {
    match error {
        Some(error) if !was_away => {
            tracing::warn!(
                error = chain(error),
                "cannot list the applications of YARN; their states stay as they were seen last"
            );
        }
        None if was_away => tracing::info!("YARN lists applications again"),
        _ => {}
    }
    error.is_some()
}
