//! Writes files atomically, and lets one process at a time build a directory.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::FlockOperation;
use rustix::io::Errno;

/// The prefix of files that are still being written.
pub const PARTIAL: &str = ".partial-";

/// The pause between two attempts to take a lock.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Writes a file that only this user can read. Readers see the whole file or none, even when
/// several processes write it at once.
pub fn write_private(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    let (_, mut file) = partial(path)?;
    file.write_all(content)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// The same, and the file survives a failure of the machine.
pub fn write_durable(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    let (dir, mut file) = partial(path)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(dir)?.sync_all()
}

/// A new file that becomes `path`, and the directory of both.
fn partial(path: &Utf8Path) -> io::Result<(&Utf8Path, tempfile::NamedTempFile)> {
    let dir = path
        .parent()
        .filter(|dir| !dir.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."));
    // Temporary files are private from the start.
    let file = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(dir)?;
    Ok((dir, file))
}

/// Makes a directory and its parents for this user only. An existing directory is not changed.
pub fn private_dir(path: &Utf8Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Removes a file. A missing file is not an error.
pub fn remove_if_present(path: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A staging directory. One process at a time builds something there and then renames it.
///
/// The next builder removes the files of an interrupted one. The lock ends with the process that
/// holds it.
#[derive(Debug)]
pub(crate) struct Workshop {
    partial: tempfile::TempDir,
    target: Utf8PathBuf,
    // Dropped last: an unfinished build is removed before another process may begin.
    _lock: File,
}

impl Workshop {
    /// Waits for its turn to build `<dir>/<name>`, and fails when another process builds for
    /// longer than its patience. `None` means that another process has built it.
    pub(crate) fn enter(
        dir: &Utf8Path,
        name: &str,
        patience: &Patience<'_>,
    ) -> io::Result<Option<Self>> {
        let target = dir.join(name);
        fs::create_dir_all(dir)?;
        let lock = take(&dir.join(format!(".{name}.lock")), patience)?;
        if target.exists() {
            return Ok(None);
        }
        let prefix = format!(".{name}.partial-");
        for entry in dir.read_dir_utf8()? {
            let entry = entry?;
            if entry.file_name().starts_with(&prefix) {
                // A child of a killed builder may still write there. The next builder removes it
                // then.
                if let Err(error) = fs::remove_dir_all(entry.path()) {
                    tracing::debug!(path = %entry.path(), %error, "could not clear away an interrupted build");
                }
            }
        }
        let partial = tempfile::Builder::new().prefix(&prefix).tempdir_in(dir)?;
        Ok(Some(Self {
            partial,
            target,
            _lock: lock,
        }))
    }

    /// The directory to build in.
    pub(crate) fn dir(&self) -> &Utf8Path {
        Utf8Path::from_path(self.partial.path())
            .expect("it was made under a UTF-8 path with an ASCII prefix")
    }

    /// Moves the result to its place.
    pub(crate) fn finish(self) -> io::Result<()> {
        fs::rename(self.partial.keep(), &self.target)
    }

    /// Moves one directory of the result to its place and removes the rest.
    pub(crate) fn finish_as(self, part: &str) -> io::Result<()> {
        fs::rename(self.dir().join(part), &self.target)
    }
}

/// How long a builder waits for another one.
pub(crate) struct Patience<'a> {
    /// The limit. It is longer than a build takes that works.
    pub(crate) limit: Duration,
    /// Called before the wait begins.
    pub(crate) begins: &'a dyn Fn(),
}

/// Takes the lock and writes this process's number into its file.
fn take(path: &Utf8Path, patience: &Patience<'_>) -> io::Result<File> {
    // The number of the holder must be readable while this process waits.
    let mut lock = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    if !try_take(&lock)? {
        (patience.begins)();
        let until = Instant::now() + patience.limit;
        while !try_take(&lock)? {
            if Instant::now() >= until {
                return Err(held(&mut lock, path, patience.limit));
            }
            thread::sleep(LOOK_AGAIN);
        }
    }
    lock.set_len(0)?;
    write!(lock, "{}", std::process::id())?;
    Ok(lock)
}

fn try_take(lock: &File) -> io::Result<bool> {
    let operation = FlockOperation::NonBlockingLockExclusive;
    match rustix::io::retry_on_intr(|| rustix::fs::flock(lock, operation)) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The error of a builder that has waited for long enough.
fn held(lock: &mut File, path: &Utf8Path, limit: Duration) -> io::Error {
    let mut holder = String::new();
    let read = lock.read_to_string(&mut holder);
    let holder = match read {
        Ok(_) if !holder.is_empty() => format!("process {holder}"),
        _ => "another process".to_owned(),
    };
    let message = format!(
        "{holder} has held the lock {path} for more than {} s: end it if it is stuck",
        limit.as_secs()
    );
    io::Error::new(io::ErrorKind::TimedOut, message)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn patient(begins: &dyn Fn()) -> Patience<'_> {
        Patience {
            limit: LONG,
            begins,
        }
    }

    fn temp() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    #[test]
    fn a_private_file_is_private_and_replaces_the_old_one() {
        let (_dir, path) = temp();
        let file = path.join("secret");
        write_durable(&file, b"old").unwrap();
        write_private(&file, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn an_interrupted_build_is_cleared_away_and_a_finished_one_is_kept() {
        let (_dir, path) = temp();
        fs::create_dir(path.join(".thing.partial-dead")).unwrap();
        let alone = || panic!("there is nobody to wait for");
        let workshop = Workshop::enter(&path, "thing", &patient(&alone))
            .unwrap()
            .unwrap();
        assert!(!path.join(".thing.partial-dead").exists());
        fs::write(workshop.dir().join("part"), "x").unwrap();
        workshop.finish().unwrap();
        assert!(path.join("thing/part").exists());
        let again = Workshop::enter(&path, "thing", &patient(&alone)).unwrap();
        assert!(again.is_none());
    }

    #[test]
    fn two_builders_take_turns() {
        let (_dir, path) = temp();
        let built = std::thread::scope(|scope| {
            let build = || match Workshop::enter(&path, "thing", &patient(&|| ())).unwrap() {
                Some(workshop) => workshop.finish().map(|()| 1).unwrap(),
                None => 0,
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(build)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum::<i32>()
        });
        assert_eq!(built, 1);
    }

    #[test]
    fn who_has_to_wait_is_told_before() {
        let (_dir, path) = temp();
        let first = Workshop::enter(&path, "thing", &patient(&|| ()))
            .unwrap()
            .unwrap();
        let (told, telling) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let path = &path;
            let second = scope.spawn(move || {
                let tell = || told.send(()).unwrap();
                Workshop::enter(path, "thing", &patient(&tell)).unwrap()
            });
            telling.recv().unwrap();
            first.finish().unwrap();
            assert!(second.join().unwrap().is_none());
        });
    }

    #[test]
    fn a_builder_that_is_stuck_is_named_after_a_while() {
        let (_dir, path) = temp();
        let first = Workshop::enter(&path, "thing", &patient(&|| ())).unwrap();
        let impatient = Patience {
            limit: Duration::from_millis(120),
            begins: &|| (),
        };
        let error = Workshop::enter(&path, "thing", &impatient).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let named = format!(
            "process {} has held the lock {path}/.thing.lock for more than 0 s",
            std::process::id()
        );
        assert!(error.to_string().starts_with(&named), "{error}");
        drop(first);
        assert!(
            Workshop::enter(&path, "thing", &impatient)
                .unwrap()
                .is_some()
        );
    }
}
