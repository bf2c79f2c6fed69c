//! The steps that the rescues of sessions, batches and drivers share. A rescue ends one of them when
//! its actor has panicked.

use std::sync::Arc;
use std::time::Duration;

use livius_store::StoreError;

use crate::core::Core;
use crate::lifecycle::Lifecycle;
use crate::registry::Live;

/// The pause between two attempts to read a record.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// Reads a record until the store answers; each failure is passed to `failed`. `None` when there is
/// no such record, or when the server stops.
pub async fn record<T, F>(
    lifecycle: &Lifecycle,
    mut read: impl FnMut() -> F,
    failed: impl Fn(&StoreError),
) -> Option<T>
where
    F: Future<Output = Result<Option<T>, StoreError>>,
{
    loop {
        match read().await {
            Ok(record) => return record,
            Err(error) => failed(&error),
        }
        tokio::select! {
            () = lifecycle.stopping() => return None,
            () = tokio::time::sleep(READ_PAUSE) => {}
        }
    }
}

/// Takes an entry from the live ones when it is dropped, whatever has happened.
pub struct Unlisted<E: Live>(pub Arc<Core<E>>, pub Arc<E>);

impl<E: Live> Drop for Unlisted<E> {
    fn drop(&mut self) {
        self.0.registry.remove(&self.1);
    }
}
