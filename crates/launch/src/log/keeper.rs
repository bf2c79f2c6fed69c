//! Keeps the log files of a driver within a limit while the driver writes to them.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::content::Hole;

/// How often the files are looked at. A driver that writes 1 GB a second exceeds the limit by 250
/// MB for a moment.
const INTERVAL: Duration = Duration::from_millis(250);

/// Stands where output was removed from a file that cannot have a hole.
const REMOVED: &str = "\n[output was removed here, because the log reached logs.driver_limit (of an executor: logs.executor_limit)]\n";

/// The log files of one driver, with the limit of each in bytes.
#[derive(Debug, Clone)]
pub(crate) struct LogKeeper {
    files: Arc<[File]>,
    limit: u64,
}

impl LogKeeper {
    /// Opens the files, which must exist.
    pub(crate) fn open(paths: &[Utf8PathBuf], limit: u64) -> io::Result<Self> {
        let mut paths = paths.to_vec();
        paths.dedup();
        let open = |path: &Utf8PathBuf| OpenOptions::new().append(true).open(path);
        let files = paths.iter().map(open).collect::<io::Result<_>>()?;
        Ok(Self { files, limit })
    }

    /// Keeps the limit as long as this process lives. A thread of its own does this, because the
    /// supervisor waits for processes and signals.
    pub(crate) fn run(self) -> io::Result<()> {
        let work = move || {
            loop {
                self.keep();
                std::thread::sleep(INTERVAL);
            }
        };
        std::thread::Builder::new()
            .name("log keeper".to_owned())
            .stack_size(128 << 10)
            .spawn(work)?;
        Ok(())
    }

    /// Removes the middle of each file that is too long. A file that cannot be shortened now is
    /// tried again.
    pub(crate) fn keep(&self) {
        for file in &*self.files {
            if let Err(error) = keep_within(file, self.limit) {
                tracing::warn!(%error, "cannot shorten a driver's log");
            }
        }
    }
}

/// Removes the middle of a file whose data exceeds the limit. The first quarter of the limit stays,
/// and the newest half. Positions in the file stay right, because its length does not change.
pub(crate) fn keep_within(file: &File, limit: u64) -> io::Result<()> {
    let metadata = file.metadata()?;
    let length = metadata.len();
    let hole = Hole::find(file, length)?;
    if length - hole.map_or(0, Hole::length) <= limit {
        return Ok(());
    }
    // The file system removes whole blocks only.
    let block = metadata.blksize().max(4096);
    let whole_blocks = |bytes: u64| bytes / block * block;
    let start = hole.map_or(whole_blocks(limit / 4), |hole| hole.start);
    let end = whole_blocks(length - limit / 2);
    if start >= end {
        return Ok(());
    }
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match fallocate(file, punch, start, end - start) {
        Ok(()) => Ok(()),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => shorten(file, start),
        Err(error) => Err(error.into()),
    }
}

/// Without holes only the end of a file can be removed. The driver appends, so its next output
/// follows the line that says so.
pub(super) fn shorten(mut file: &File, start: u64) -> io::Result<()> {
    file.set_len(start)?;
    file.write_all(REMOVED.as_bytes())
}
