//! An index of the lines of a growing file.

use std::io::{self, BufRead, BufReader};

use super::content::{Content, Identity};

/// The distance of the marks, in lines. Ten million lines need 80 KB of marks, and a read skips at
/// most this many lines.
const STRIDE: u64 = 1_000;
const BUFFER_BYTES: usize = 64 << 10;

/// The position of every thousandth line, and how far the file was read.
#[derive(Debug, Default)]
pub(super) struct LineIndex {
    /// A rotated log is another file with the same name. A file whose middle was removed has other
    /// lines.
    file: Option<Identity>,
    scanned: u64,
    line_ends: u64,
    /// True if there is text after the last line end.
    unended: bool,
    /// The positions of the lines 1 000, 2 000 and so on.
    marks: Vec<u64>,
}

impl LineIndex {
    /// Reads the new lines. Starts again if the file is another one or became shorter.
    pub(super) fn follow(&mut self, content: &Content<'_>) -> io::Result<()> {
        let identity = Some(content.identity());
        if self.file != identity || content.length() < self.scanned {
            *self = Self {
                file: identity,
                ..Self::default()
            };
        }
        if content.length() > self.scanned {
            let scanned = self.scan(content);
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

    /// The number of lines that have ended.
    pub(super) fn ended_lines(&self) -> u64 {
        self.line_ends
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

    fn scan(&mut self, content: &Content<'_>) -> io::Result<()> {
        let end = content.length();
        let mut last = [0];
        if content.read_at(&mut last, end - 1)? == 0 {
            // The file has become shorter just now.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let appended = content.part(self.scanned, end);
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, appended);
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
