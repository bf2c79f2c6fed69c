//! The asynchronous runtime of a command.

use std::future::Future;

use anyhow::Context as _;

/// Runs a future to its end on a new runtime. Does not wait for threads that are still blocked
/// then.
pub fn on_runtime<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    result
}
