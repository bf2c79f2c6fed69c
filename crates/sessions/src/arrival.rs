//! A file on its way in: written beside the driver's other files, and gone again unless it is made a resource of the session.

use std::io;
use std::os::unix::fs::OpenOptionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::ResourceId;
use tokio::sync::OwnedSemaphorePermit;

use crate::directory;
use crate::request;

/// The file of an upload, with its place among those that may be on their way.
#[derive(Debug)]
pub(crate) struct Arrival {
    path: Utf8PathBuf,
    pub(crate) place: Option<OwnedSemaphorePermit>,
}

impl Arrival {
    /// Where the client's bytes are written to: an empty file that only its owner may read.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Makes the file.
    pub(crate) fn begin(driver_dir: &Utf8Path, place: OwnedSemaphorePermit) -> io::Result<Self> {
        let dir = uploads(driver_dir);
        directory::make_private(&dir)?;
        let path = dir.join(format!("arriving-{}", request::random_hex()));
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            path,
            place: Some(place),
        })
    }

    /// Puts it where the driver is given it from.
    pub(crate) fn settle(&self, driver_dir: &Utf8Path, resource: ResourceId) -> io::Result<()> {
        std::fs::rename(&self.path, stored(driver_dir, resource))
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        // One that has settled is not there any more; for the rest of a driver's directory its end is the end, too.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Removes what was arriving when the server ended, as nobody sends the rest of it, and what the driver has.
pub(crate) fn sweep(driver_dir: &Utf8Path, wanted: &[ResourceId]) -> io::Result<()> {
    let dir = uploads(driver_dir);
    let entries = match dir.read_dir_utf8() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let is_wanted = wanted.iter().any(|id| id.to_string() == entry.file_name());
        if !is_wanted {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a driver's directory has uploads and nothing else: no driver was ever started there.
pub(crate) fn is_all(driver_dir: &Utf8Path) -> bool {
    let entries = driver_dir
        .read_dir_utf8()
        .and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let uploads = uploads(driver_dir);
    entries.is_ok_and(|entries| matches!(&entries[..], [only] if only.path() == uploads))
}

/// The directory of a driver's uploads.
pub(crate) fn uploads(driver_dir: &Utf8Path) -> Utf8PathBuf {
    driver_dir.join("uploads")
}

/// Where an uploaded file is until the driver has it.
pub(crate) fn stored(driver_dir: &Utf8Path, resource: ResourceId) -> Utf8PathBuf {
    uploads(driver_dir).join(resource.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    #[test]
    fn what_nobody_waits_for_is_swept_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let driver = Utf8Path::from_path(home.path()).unwrap();
        sweep(driver, &[]).unwrap();
        let place = || Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        for id in [1, 2] {
            let settled = Arrival::begin(driver, place()).unwrap();
            settled.settle(driver, ResourceId(id)).unwrap();
        }
        // As after a SIGKILL: it is not dropped.
        std::mem::forget(Arrival::begin(driver, place()).unwrap());
        let names = || uploads(driver).read_dir_utf8().unwrap().count();
        assert_eq!(names(), 3);
        sweep(driver, &[ResourceId(1)]).unwrap();
        assert_eq!(names(), 1);
        assert!(stored(driver, ResourceId(1)).is_file());
    }

    #[test]
    fn one_that_breaks_off_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let driver = Utf8Path::from_path(home.path()).unwrap();
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let arrival = Arrival::begin(driver, place).unwrap();
        let path = arrival.path.clone();
        assert!(path.is_file());
        drop(arrival);
        assert!(!path.exists());
    }
}
