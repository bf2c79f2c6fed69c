//! Appends to a log that a server which dies in between neither repeats nor loses.
//!
//! The caller writes down where a text is about to go, and what holds when it is there. Then it
//! writes the text. After a crash the length of the file tells whether the text is there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

/// The place of an append in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Append {
    /// The length of the file before and after.
    pub(crate) before: u64,
    pub(crate) after: u64,
}

impl Append {
    /// Works out the place of a text at the end of a file, and the bytes to write: on a line of its
    /// own if the text begins one.
    pub(crate) fn plan(file: &File, begins_line: bool, text: &[u8]) -> io::Result<(Self, Vec<u8>)> {
        let before = file.metadata()?.len();
        let separator: &[u8] = if begins_line && !ends_line(file, before)? {
            b"\n"
        } else {
            b""
        };
        let bytes = [separator, text].concat();
        let after = before + bytes.len() as u64;
        Ok((Self { before, after }, bytes))
    }

    /// Tells whether the text is in the file. Takes a part of it back.
    pub(crate) fn settle(self, path: &Utf8Path) -> io::Result<bool> {
        let now = length(path)?;
        if now >= self.after {
            return Ok(true);
        }
        if now > self.before {
            open(path)?.set_len(self.before)?;
        }
        Ok(false)
    }
}

/// Opens a log to append to, for this user only.
pub(crate) fn open(path: &Utf8Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// The length of a log, which need not be there.
pub(crate) fn length(path: &Utf8Path) -> io::Result<u64> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        metadata => Ok(metadata?.len()),
    }
}

/// The end of a log from a position on, at most so many bytes.
pub(crate) fn tail(path: &Utf8Path, begins: u64, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(most).max(begins.min(length));
    let mut text = vec![0; usize::try_from(length - from).unwrap_or(0)];
    file.read_exact_at(&mut text, from)?;
    Ok(text)
}

fn ends_line(file: &File, length: u64) -> io::Result<bool> {
    let mut last = [0];
    let Some(at) = length.checked_sub(1) else {
        return Ok(true);
    };
    file.read_exact_at(&mut last, at)?;
    Ok(last == *b"\n")
}
