//! The roster of one driver, with its file.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Known, Roster};
use crate::driver_dir::DriverDir;

/// Gives out the roster of a driver. Work with it blocks, so it runs on a thread of its own.
pub(crate) struct Register {
    dir: DriverDir,
    /// `None` before the first use. It is locked on threads that may wait for the disk.
    roster: Arc<Mutex<Option<Roster>>>,
}

/// The roster while a task works with it.
pub(crate) struct Entry<'a> {
    pub(crate) roster: &'a mut Roster,
    pub(crate) dir: &'a DriverDir,
}

impl Register {
    pub(crate) fn new(dir: DriverDir) -> Self {
        Self {
            dir,
            roster: Arc::default(),
        }
    }

    /// The directory of the driver.
    pub(crate) fn dir(&self) -> &DriverDir {
        &self.dir
    }

    /// Works with the roster. A failure is logged, and gives `None`.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Entry<'_>) -> io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let (dir, roster) = (self.dir.clone(), Arc::clone(&self.roster));
        let work = move || {
            let mut kept = roster.lock().unwrap_or_else(PoisonError::into_inner);
            let roster = match &mut *kept {
                Some(roster) => roster,
                none => none.insert(dir.read_roster()?),
            };
            work(&mut Entry { roster, dir: &dir })
        };
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
        done.inspect_err(|error| {
            // The directory is removed with its driver.
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(dir = %self.dir.path(), %error, "cannot write down the executors of a driver");
            }
        })
        .ok()
    }
}

impl Entry<'_> {
    /// Takes the list of the executors that there are now.
    pub(crate) fn update(&mut self, now: Vec<Known>) -> io::Result<()> {
        if self.roster.take(now) {
            self.dir.write_roster(self.roster)?;
        }
        Ok(())
    }
}
