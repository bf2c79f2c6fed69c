//! The free space of the disk that drivers write to.

use std::io;

use camino::Utf8Path;
use rustix::fs::statvfs;

/// Why the disk takes nothing more.
#[derive(Debug, thiserror::Error)]
#[error("{free} bytes are free, and {reserve} stay free (server.disk_reserve)")]
struct NoRoom {
    free: u64,
    reserve: u64,
}

/// Fails with [`io::ErrorKind::StorageFull`] if the file system of a directory has less free space
/// than the reserve. If the directory does not exist, its parent tells.
pub(crate) fn check_room(directory: &Utf8Path, reserve: u64) -> io::Result<()> {
    if reserve == 0 {
        return Ok(());
    }
    let existing = directory.ancestors().find(|path| path.exists());
    let system = statvfs(existing.unwrap_or(directory).as_std_path())?;
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    if free < reserve {
        return Err(io::Error::new(
            io::ErrorKind::StorageFull,
            NoRoom { free, reserve },
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_stays_free() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(directory.path()).unwrap();
        let missing = path.join("not/there");
        for path in [path, &missing] {
            check_room(path, 0).unwrap();
            check_room(path, 1).unwrap();
            let full = check_room(path, u64::MAX).unwrap_err();
            assert_eq!(full.kind(), io::ErrorKind::StorageFull);
            assert!(full.to_string().contains("server.disk_reserve"), "{full}");
        }
    }
}
