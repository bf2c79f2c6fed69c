//! The content of a file that the server sends a driver.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The content of a file, for a driver that fetches it.
pub struct FileContent {
    /// Its length in bytes.
    pub length: u64,
    /// Its bytes, as many as `length` says.
    pub content: Box<dyn AsyncRead + Send + Unpin>,
}

impl FileContent {
    /// Opens a file by its path. Also returns the place where the open file really is: a link on the
    /// path may change at any time, so only this place can be judged. Refuses what is no file. Blocks
    /// while the file system does not answer.
    pub fn open(path: &Utf8Path) -> io::Result<(Self, Utf8PathBuf)> {
        // Without O_NONBLOCK a pipe waits for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path.as_std_path(), flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is not a file",
            ));
        }
        let opened = Utf8PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let place = opened.canonicalize_utf8()?;
        Ok((
            Self::new(tokio::fs::File::from_std(file), metadata.len()),
            place,
        ))
    }

    /// The content of an open file of this length.
    pub(crate) fn new(file: tokio::fs::File, length: u64) -> Self {
        Self {
            length,
            content: Box::new(file.take(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[tokio::test]
    async fn an_open_file_tells_where_it_is() {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path())
            .unwrap()
            .canonicalize_utf8()
            .unwrap();
        std::fs::write(home.join("a.txt"), "abc").unwrap();
        symlink(home.join("a.txt"), home.join("link")).unwrap();
        let (mut file, place) = FileContent::open(&home.join("link")).unwrap();
        assert_eq!(place, home.join("a.txt"));
        let mut text = String::new();
        file.content.read_to_string(&mut text).await.unwrap();
        assert_eq!((file.length, text.as_str()), (3, "abc"));
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path()).unwrap();
        let pipe = home.join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, pipe.as_std_path(), Mode::RUSR).unwrap();
        for path in [home, &pipe, &home.join("nothing")] {
            assert!(FileContent::open(path).is_err(), "{path}");
        }
    }
}
