//! The copied logs of all drivers in containers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use camino::{Utf8Path, Utf8PathBuf};
use livius_yarn::Cluster;
use tokio::sync::Semaphore;

use super::mirror::Mirror;
use crate::log::MirroredFiles;

/// The copies that are made at once. Each holds at most 4 MiB.
const AT_ONCE: usize = 16;

/// The mirrors of all drivers in containers, by the file of their standard output.
#[derive(Debug)]
pub(crate) struct Mirrors {
    known: Mutex<HashMap<Utf8PathBuf, Weak<Mirror>>>,
    permits: Arc<Semaphore>,
    /// The most bytes of each log file.
    limit: u64,
}

impl Mirrors {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            known: Mutex::default(),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            limit,
        }
    }

    /// The mirror of a driver. There is one, so that nothing is copied twice.
    pub(crate) fn of(&self, files: MirroredFiles, cluster: &Cluster) -> Arc<Mirror> {
        let mut known = self.known();
        known.retain(|_, mirror| mirror.strong_count() > 0);
        if let Some(mirror) = known.get(&files.stdout).and_then(Weak::upgrade) {
            return mirror;
        }
        let path = files.stdout.clone();
        let mirror = Arc::new(Mirror::new(
            files,
            self.limit,
            cluster.clone(),
            Arc::clone(&self.permits),
        ));
        known.insert(path, Arc::downgrade(&mirror));
        mirror
    }

    /// Gives up the mirror of a log that is about to be removed. Blocks.
    pub(crate) fn give_up(&self, stdout: &Utf8Path) {
        let mirror = self.known().remove(stdout);
        if let Some(mirror) = mirror.and_then(|mirror| mirror.upgrade()) {
            mirror.retire();
        }
    }

    /// Copies what is new in the log of a driver that runs in a container, as far as that is quick.
    pub(crate) async fn refresh(&self, stdout: &Utf8Path) {
        let mirror = self.known().get(stdout).and_then(Weak::upgrade);
        if let Some(mirror) = mirror {
            mirror.refresh_for_reader().await;
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Utf8PathBuf, Weak<Mirror>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
