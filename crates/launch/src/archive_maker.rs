//! Makes the archive of Spark's classes in the background, for the drivers to come.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use livius_domain::chain;
use livius_spark_home::{Archive, Search, Stop, Toolchain};
use rustix::process::setpriority_process;

use crate::memory;

/// The memory that a training run may need, in bytes. With less free memory it is left out.
const NEEDED_BYTES: u64 = 3 << 30;
/// The lowest priority, so that users' drivers do not wait for it.
const LOWEST: i32 = 19;
/// The time that a training run has to end, and to remove its files. It takes a moment, unless the
/// run waits for another process, which makes the same archive. Such a run leaves nothing.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Makes each archive once. A failure is not repeated before the server starts again.
#[derive(Debug, Default)]
pub(crate) struct ArchiveMaker {
    work: Mutex<Work>,
    stop: Stop,
}

#[derive(Debug, Default)]
struct Work {
    tried: Option<Archive>,
    /// Is closed when the last run is over.
    over: Option<Receiver<()>>,
}

impl ArchiveMaker {
    /// Begins to make the archive of a toolchain, unless it is there or was tried before.
    pub(crate) fn begin(&self, toolchain: &Arc<Toolchain>, search: &Search) {
        if toolchain.archive.usable().is_some() {
            return;
        }
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if work.tried.as_ref() == Some(&toolchain.archive) || self.stop.is_stopped() {
            return;
        }
        work.tried = Some(toolchain.archive.clone());
        let (running, over) = channel();
        let (toolchain, search, stop) = (Arc::clone(toolchain), search.clone(), self.stop.clone());
        let spawned = thread::Builder::new()
            .name("class-archive".to_owned())
            .spawn(move || {
                make(&toolchain, &search, &stop);
                drop(running);
            });
        match spawned {
            Ok(_) => work.over = Some(over),
            Err(error) => tracing::debug!(%error, "cannot begin to make a class archive"),
        }
    }

    /// Ends the training run, if one is under way, and begins no other. The next server makes the
    /// archive.
    pub(crate) fn end(&self) {
        self.stop.stop();
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let over = work.over.take().map(|over| over.recv_timeout(END_LIMIT));
        if over == Some(Err(RecvTimeoutError::Timeout)) {
            tracing::warn!("the making of a class archive does not end");
        }
    }
}

fn make(toolchain: &Toolchain, search: &Search, stop: &Stop) {
    if memory::free().is_some_and(|free| free < NEEDED_BYTES) {
        tracing::info!("no class archive is made, because little memory is free");
        return;
    }
    // On Linux this is the priority of the thread and of the processes that it starts.
    if let Err(error) = setpriority_process(None, LOWEST) {
        tracing::debug!(%error, "the class archive is made at the usual priority");
    }
    match toolchain.ensure_archive(search, stop) {
        Ok(archive) => {
            tracing::info!(archive = %archive.classes, "made a class archive: drivers start faster from now on");
        }
        Err(_) if stop.is_stopped() => {
            tracing::info!("the server stops, so the next one makes the class archive");
        }
        Err(error) => {
            tracing::info!(error = %chain(&error), "no class archive: drivers start without it");
        }
    }
}
