//! The lock that allows one server at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::OpenError;

/// A lock of the operating system on the file `<database>.lock`. The system releases it even when
/// the process is killed. The database's own locks are not enough: they let two servers take turns.
pub(super) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock of a database.
    pub(super) fn take(database: &Utf8Path) -> Result<Self, OpenError> {
        let path = Utf8PathBuf::from(format!("{database}.lock"));
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let file = opened.map_err(|source| OpenError::Lock {
            path: path.clone(),
            source,
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                path: database.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(OpenError::Lock { path, source }),
        }
    }
}
