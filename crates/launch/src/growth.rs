//! Tells readers when files in a directory of this machine grow, so that they need not look again and
//! again.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use camino::Utf8Path;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;
use tokio::sync::watch;

/// The time between two looks for news. A driver that writes without a pause wakes its readers so
/// often.
const PAUSE: Duration = Duration::from_millis(10);

/// Room for the kernel's news.
const BUFFER_BYTES: usize = 16 << 10;

/// The watch over directories. It begins with the first reader.
#[derive(Debug, Default)]
pub(crate) struct Growth(OnceLock<Option<Arc<Watch>>>);

#[derive(Debug)]
struct Watch {
    inotify: OwnedFd,
    directories: Mutex<HashMap<i32, Directory>>,
}

#[derive(Debug)]
struct Directory {
    readers: usize,
    changes: watch::Sender<()>,
}

/// A reader of a directory's news.
#[derive(Debug)]
pub struct Grown {
    watch: Arc<Watch>,
    number: i32,
    changes: watch::Receiver<()>,
}

impl Growth {
    /// Watches the files in a directory. `None` if the system cannot: then a reader looks now and
    /// then.
    pub(crate) fn of(&self, directory: &Utf8Path) -> Option<Grown> {
        let watch = self.0.get_or_init(begin).as_ref()?;
        watch.follow(directory).inspect_err(|error| {
            tracing::debug!(%directory, %error, "cannot watch a directory for new lines of a log");
        }).ok()
    }
}

fn begin() -> Option<Arc<Watch>> {
    let begun = inotify::init(CreateFlags::CLOEXEC).map(|inotify| {
        Arc::new(Watch {
            inotify,
            directories: Mutex::default(),
        })
    });
    let watch = begun.inspect_err(|error| {
        tracing::warn!(%error, "cannot watch logs for new lines; clients that follow a log get them later");
    });
    let watch = watch.ok()?;
    let work = Arc::clone(&watch);
    let thread = std::thread::Builder::new()
        .name("log growth".to_owned())
        .stack_size(128 << 10)
        .spawn(move || work.read());
    thread.is_ok().then_some(watch)
}

impl Watch {
    fn follow(self: &Arc<Self>, directory: &Utf8Path) -> Result<Grown, Errno> {
        let mut directories = self.directories();
        let wanted = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
        // The kernel gives the same number again for a directory that is watched already.
        let number = inotify::add_watch(&self.inotify, directory.as_std_path(), wanted)?;
        let directory = directories.entry(number).or_insert_with(|| Directory {
            readers: 0,
            changes: watch::Sender::new(()),
        });
        directory.readers += 1;
        Ok(Grown {
            watch: Arc::clone(self),
            number,
            changes: directory.changes.subscribe(),
        })
    }

    /// Passes on the kernel's news as long as this process lives.
    fn read(&self) {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            match reader.next() {
                Ok(news) => {
                    if let Some(directory) = self.directories().get(&news.wd()) {
                        directory.changes.send_replace(());
                    }
                }
                Err(Errno::INTR) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot watch logs for new lines any more");
                    return;
                }
            }
            if reader.is_buffer_empty() {
                std::thread::sleep(PAUSE);
            }
        }
    }

    fn directories(&self) -> MutexGuard<'_, HashMap<i32, Directory>> {
        self.directories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grown {
    /// Waits until a file has grown since the last wait.
    pub async fn wait(&mut self) {
        if self.changes.changed().await.is_err() {
            // Nothing will tell any more.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Grown {
    fn drop(&mut self) {
        let mut directories = self.watch.directories();
        let Some(directory) = directories.get_mut(&self.number) else {
            return;
        };
        directory.readers -= 1;
        if directory.readers == 0 {
            directories.remove(&self.number);
            // It fails if the directory is gone, and then the watch is, too.
            let _ = inotify::remove_watch(&self.watch.inotify, self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn readers_are_told_of_new_text_in_their_directory() {
        let growth = Growth::default();
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = |dir: &tempfile::TempDir| {
            camino::Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap()
        };
        let mut first = growth.of(&path(&one)).unwrap();
        let mut second = growth.of(&path(&one)).unwrap();
        let mut others = growth.of(&path(&other)).unwrap();
        let mut file = std::fs::File::create(path(&one).join("log")).unwrap();
        first.wait().await;
        second.wait().await;
        drop(second);
        file.write_all(b"a line\n").unwrap();
        first.wait().await;
        assert_eq!(others.wait().now_or_never(), None);
        std::fs::write(path(&other).join("log"), "").unwrap();
        others.wait().await;
        drop((first, others));
        let watch = growth.0.get().unwrap().as_ref().unwrap();
        assert!(watch.directories().is_empty());
    }

    #[test]
    fn a_directory_that_is_not_there_is_not_watched() {
        assert!(Growth::default().of(Utf8Path::new("/nowhere")).is_none());
    }
}
