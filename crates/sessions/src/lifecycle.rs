//! Tasks that a shutdown waits for.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Every task of the server is spawned through this: a shutdown drains them, then stops what is left.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    drain: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// Runs a task that ends by itself, or when it sees [`Self::stopping`].
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task);
    }

    /// Nothing new is to be begun.
    pub fn begin_drain(&self) {
        self.drain.cancel();
    }

    /// Whether nothing new is to be begun.
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Becomes ready when nothing new is to be begun.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Becomes ready when tasks are to end at once.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Ends all tasks and waits for them; false when some did not end within the deadline.
    pub async fn finish(&self, deadline: Duration) -> bool {
        self.drain.cancel();
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(deadline, self.tasks.wait())
            .await
            .is_ok()
    }
}
