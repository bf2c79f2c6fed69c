//! Makes the archive of Spark's classes in the background, for the drivers to come.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use livius_domain::chain;
use livius_spark_home::{Archive, Search, Toolchain};
use rustix::process::setpriority_process;

use crate::memory;

/// The memory that a training run may need, in bytes. With less free memory it is left out.
const NEEDED_BYTES: u64 = 3 << 30;
/// The lowest priority, so that users' drivers do not wait for it.
const LOWEST: i32 = 19;

/// Makes each archive once. A failure is not repeated before the server starts again.
#[derive(Debug, Default)]
pub(crate) struct ArchiveMaker {
    tried: Mutex<Option<Archive>>,
}

impl ArchiveMaker {
    /// Begins to make the archive of a toolchain, unless it is there or was tried before. The
    /// training run ends with this process.
    pub(crate) fn begin(&self, toolchain: &Arc<Toolchain>, search: &Search) {
        if toolchain.archive.usable().is_some() {
            return;
        }
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.as_ref() == Some(&toolchain.archive) {
            return;
        }
        *tried = Some(toolchain.archive.clone());
        let (toolchain, search) = (Arc::clone(toolchain), search.clone());
        let spawned = thread::Builder::new()
            .name("class-archive".to_owned())
            .spawn(move || make(&toolchain, &search));
        if let Err(error) = spawned {
            tracing::debug!(%error, "cannot begin to make a class archive");
        }
    }
}

fn make(toolchain: &Toolchain, search: &Search) {
    if memory::free().is_some_and(|free| free < NEEDED_BYTES) {
        tracing::info!("no class archive is made, because little memory is free");
        return;
    }
    // On Linux this is the priority of the thread and of the processes that it starts.
    if let Err(error) = setpriority_process(None, LOWEST) {
        tracing::debug!(%error, "the class archive is made at the usual priority");
    }
    match toolchain.ensure_archive(search) {
        Ok(archive) => {
            tracing::info!(archive = %archive.classes, "made a class archive: drivers start faster from now on");
        }
        Err(error) => {
            tracing::info!(error = %chain(&error), "no class archive: drivers start without it");
        }
    }
}
