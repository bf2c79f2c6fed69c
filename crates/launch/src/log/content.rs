//! The content of a log file as readers see it: without the part that was removed from its middle.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// The bytes of a file that were removed. The file system keeps no data for them and reads them as
/// zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Hole {
    /// Finds the first hole of a file with this length. A file system that knows no holes has
    /// none. Moves the cursor of the file.
    pub(super) fn find(file: &File, length: u64) -> io::Result<Option<Self>> {
        let start = match seek(file, SeekFrom::Hole(0)) {
            Ok(start) if start < length => start,
            // The file is empty, or the file system cannot tell.
            Ok(_) | Err(Errno::NXIO | Errno::INVAL | Errno::OPNOTSUPP) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let end = match seek(file, SeekFrom::Data(start)) {
            Ok(end) => end.min(length),
            Err(Errno::NXIO) => length,
            Err(error) => return Err(error.into()),
        };
        Ok(Some(Self { start, end }))
    }

    pub(super) fn length(self) -> u64 {
        self.end - self.start
    }
}

/// Identifies the file and its hole. A file with another identity is read from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    hole: Option<Hole>,
}

/// An open log file. Positions count its content: the bytes before the hole, a line that says that
/// output was removed, and the bytes after the hole.
#[derive(Debug)]
pub(super) struct Content<'a> {
    file: &'a File,
    identity: Identity,
    length: u64,
    gap: Option<Gap>,
}

/// A hole, at the edges of characters, with the text that readers get in its place.
#[derive(Debug)]
struct Gap {
    hole: Hole,
    text: Vec<u8>,
}

impl<'a> Content<'a> {
    pub(super) fn of(file: &'a File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let hole = Hole::find(file, metadata.len())?;
        let gap = hole
            .map(|hole| Gap::new(file, hole, metadata.len()))
            .transpose()?;
        let missing = gap.as_ref().map_or(0, |gap| gap.hole.length());
        let added = gap.as_ref().map_or(0, Gap::text_length);
        Ok(Self {
            file,
            identity: Identity {
                device: metadata.dev(),
                inode: metadata.ino(),
                hole,
            },
            length: metadata.len() - missing + added,
            gap,
        })
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Whether the file still has the same hole. Bytes that were read in between may have been
    /// removed before the read.
    pub(super) fn is_current(&self) -> io::Result<bool> {
        let hole = Hole::find(self.file, self.file.metadata()?.len())?;
        Ok(hole == self.identity.hole)
    }

    /// Reads a part of the content.
    pub(super) fn part(&self, start: u64, end: u64) -> impl Read {
        Part {
            content: self,
            position: start,
        }
        .take(end - start)
    }

    pub(super) fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let Some(Gap { hole, text }) = &self.gap else {
            return self.file.read_at(buffer, position);
        };
        if position < hole.start {
            let length = cut(buffer.len(), hole.start - position);
            return self.file.read_at(&mut buffer[..length], position);
        }
        let after = position - hole.start;
        match usize::try_from(after).ok().and_then(|at| text.get(at..)) {
            Some(rest) if !rest.is_empty() => {
                let length = rest.len().min(buffer.len());
                buffer[..length].copy_from_slice(&rest[..length]);
                Ok(length)
            }
            _ => {
                let behind = after - text.len() as u64;
                self.file.read_at(buffer, hole.end + behind)
            }
        }
    }
}

impl Gap {
    /// Widens the hole, so that it cuts no character.
    fn new(file: &File, hole: Hole, length: u64) -> io::Result<Self> {
        let start = hole.start - beginning_of_character(file, hole.start)?;
        let end = hole.end + end_of_character(file, hole.end, length)?;
        let text = format!(
            "\n[{} bytes of output were removed here, because the log reached logs.driver_limit (of an executor: logs.executor_limit)]\n[cut] … ",
            end - start
        );
        Ok(Self {
            hole: Hole { start, end },
            text: text.into_bytes(),
        })
    }

    fn text_length(&self) -> u64 {
        self.text.len() as u64
    }
}

/// How many bytes before a position begin a character that ends behind it.
fn beginning_of_character(file: &File, position: u64) -> io::Result<u64> {
    let mut bytes = [0; 4];
    let start = position.saturating_sub(4);
    let read = file.read_at(&mut bytes[..cut(4, position - start)], start)?;
    let bytes = &bytes[..read];
    let first = bytes.iter().rposition(|byte| !is_continuation(*byte));
    let rest = &bytes[first.unwrap_or(0)..];
    Ok(match str::from_utf8(rest) {
        Err(error) if error.error_len().is_none() => rest.len() as u64,
        _ => 0,
    })
}

/// How many bytes behind a position end a character that begins before it.
fn end_of_character(file: &File, position: u64, length: u64) -> io::Result<u64> {
    let mut bytes = [0; 3];
    let read = file.read_at(&mut bytes[..cut(3, length - position)], position)?;
    let rest = bytes[..read]
        .iter()
        .take_while(|byte| is_continuation(**byte));
    Ok(rest.count() as u64)
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

fn cut(length: usize, limit: u64) -> usize {
    usize::try_from(limit).map_or(length, |limit| length.min(limit))
}

/// Reads from a position on.
struct Part<'a> {
    content: &'a Content<'a>,
    position: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}
