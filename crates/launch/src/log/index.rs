//! An index of the lines of a growing file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt};

/// The distance of the marks, in lines. Ten million lines need 80 KB of marks, and a read skips at
/// most this many lines.
const STRIDE: u64 = 1_000;
const BUFFER_BYTES: usize = 64 << 10;

/// The position of every thousandth line, and how far the file was read.
#[derive(Debug, Default)]
pub(super) struct LineIndex {
    /// Device and inode of the file. A rotated log is another file with the same name.
    file: Option<(u64, u64)>,
    scanned: u64,
    line_ends: u64,
    /// True if there is text after the last line end.
    unended: bool,
    /// The positions of the lines 1 000, 2 000 and so on.
    marks: Vec<u64>,
}

impl LineIndex {
    /// Reads the new lines. Starts again if the file is another one or became shorter.
    pub(super) fn follow(&mut self, file: &File) -> io::Result<()> {
        let metadata = file.metadata()?;
        let identity = Some((metadata.dev(), metadata.ino()));
        if self.file != identity || metadata.len() < self.scanned {
            *self = Self {
                file: identity,
                ..Self::default()
            };
        }
        if metadata.len() > self.scanned {
            let scanned = self.scan(file, metadata.len());
            if scanned.is_err() {
                *self = Self::default();
            }
            return scanned;
        }
        Ok(())
    }

    /// The number of lines.
    pub(super) fn lines(&self) -> u64 {
        self.line_ends + u64::from(self.unended)
    }

    /// The end of the indexed part of the file.
    pub(super) fn end(&self) -> u64 {
        self.scanned
    }

    /// A position at or before the line, and how many lines to skip from there.
    pub(super) fn nearest(&self, line: u64) -> (u64, u64) {
        let marks = u64::try_from(self.marks.len()).unwrap_or(u64::MAX);
        let stride = (line / STRIDE).min(marks);
        let mark = usize::try_from(stride)
            .ok()
            .and_then(|stride| self.marks.get(stride.checked_sub(1)?));
        (mark.copied().unwrap_or(0), line - stride * STRIDE)
    }

    fn scan(&mut self, file: &File, end: u64) -> io::Result<()> {
        let mut last = [0];
        file.read_exact_at(&mut last, end - 1)?;
        let appended = Appended {
            file,
            position: self.scanned,
        };
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, appended.take(end - self.scanned));
        loop {
            let read = reader.skip_until(b'\n')?;
            if read == 0 {
                break;
            }
            self.scanned += u64::try_from(read).expect("no file is that long");
            if self.scanned < end || last == *b"\n" {
                self.line_ends += 1;
                if self.line_ends.is_multiple_of(STRIDE) {
                    self.marks.push(self.scanned);
                }
            }
        }
        self.unended = last != *b"\n";
        Ok(())
    }
}

/// Reads from a position without moving the file's cursor.
struct Appended<'a> {
    file: &'a File,
    position: u64,
}

impl Read for Appended<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}
