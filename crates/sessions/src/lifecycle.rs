//! Tasks that a shutdown waits for.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Spawns every task of the server. A shutdown drains the tasks, then stops the rest. A task that
/// panics begins the drain, because a server must not continue without one of its parts.
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
        let guard = DrainOnPanic(self.drain.clone());
        // Boxed, because the task would have room for two of it: thousands wait for drivers' ends.
        let task = Box::pin(task);
        self.tasks.spawn(async move {
            let _guard = guard;
            task.await;
        });
    }

    /// Runs the task that owns one session, batch or driver. If it panics, the rescue ends that one
    /// thing, and the server goes on: the same record would panic again after a restart.
    pub fn spawn_owner<F, R>(&self, task: F, rescue: impl FnOnce() -> R + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        // Both are boxed, because the task would have room for two of each: thousands of them wait.
        let task = Box::pin(AssertUnwindSafe(task).catch_unwind());
        self.tasks.spawn(async move {
            if task.await.is_ok() {
                return;
            }
            let rescued = AssertUnwindSafe(Box::pin(async move { rescue().await }));
            if rescued.catch_unwind().await.is_err() {
                tracing::error!(
                    "what is left of a panicked actor cannot be ended; the next server will try"
                );
            }
        });
    }

    /// Runs a task whose panic is its own affair, such as one connection's.
    pub fn spawn_apart<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task);
    }

    /// Tells all parts of the server to begin nothing new.
    pub fn begin_drain(&self) {
        self.drain.cancel();
    }

    /// Tells whether the server begins nothing new.
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Returns when the server begins nothing new.
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

/// Begins the drain when it is dropped by a panic.
struct DrainOnPanic(CancellationToken);

impl Drop for DrainOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_begins_the_drain_and_an_end_does_not() {
        let lifecycle = Lifecycle::default();
        lifecycle.spawn(async {});
        lifecycle.tasks.close();
        lifecycle.tasks.wait().await;
        assert!(!lifecycle.is_draining());
        lifecycle.tasks.reopen();
        lifecycle.spawn(async { panic!("a part is missing") });
        lifecycle.draining().await;
        assert!(lifecycle.finish(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn a_panic_of_an_owner_is_answered_by_its_rescue_and_the_server_goes_on() {
        let lifecycle = Lifecycle::default();
        let (rescued, mut heard) = tokio::sync::mpsc::unbounded_channel();
        for panics in [false, true] {
            let rescued = rescued.clone();
            let owner = async move { assert!(!panics, "it is poisoned") };
            lifecycle.spawn_owner(owner, move || async move {
                let _ = rescued.send(panics);
                panic!("its remains are poisoned, too");
            });
        }
        drop(rescued);
        assert_eq!(heard.recv().await, Some(true));
        assert_eq!(heard.recv().await, None);
        assert!(!lifecycle.is_draining());
        assert!(lifecycle.finish(Duration::from_secs(5)).await);
    }
}
