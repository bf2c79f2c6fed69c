//! One growing file, by lines.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

use camino::Utf8PathBuf;

use super::content::Content;
use super::index::LineIndex;

/// The longest line that is shown in full, in bytes.
pub(super) const LINE_BYTES: usize = 64 << 10;
/// The length of the file's end that is read for its last lines.
pub(super) const TAIL_BYTES: u64 = 64 << 10;
/// How often a file is read whose middle is removed at the same time. The owner of the log removes
/// something a few times a second at most.
const TRIES: u32 = 5;
/// Replaces the beginning of a line that starts before that.
pub(super) const CUT: &str = "[cut] … ";

/// A file that other processes append to. Lines end with `\n` or `\r\n`, and text after the last
/// line end is a line, too. Bytes that are not UTF-8 are replaced. A line beyond 64 KiB is cut and
/// marked. A missing file has no lines. A file that was replaced or became shorter is read again. If
/// the middle of the file was removed, one line says so in its place.
#[derive(Debug)]
pub(super) struct LogFile {
    path: Utf8PathBuf,
    index: Mutex<LineIndex>,
}

/// Identity and length of the file. The lines change only when this changes.
pub(super) type Stamp = Option<(u64, u64, u64)>;

/// The end of a file, by lines.
#[derive(Debug)]
pub(super) struct LastLines {
    pub(super) lines: Vec<String>,
    /// True if requested lines are missing.
    pub(super) cut: bool,
}

/// The length of the text that still fits into a response.
pub(super) struct Budget {
    left: Option<usize>,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self { left: Some(bytes) }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left.is_none()
    }

    /// Takes the bytes of a line. When they do not fit, the budget is spent.
    fn take(&mut self, bytes: usize) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(bytes));
        self.left.is_some()
    }
}

impl LogFile {
    /// Names the file. It need not exist yet.
    pub(super) fn new(path: Utf8PathBuf) -> Self {
        Self {
            path,
            index: Mutex::default(),
        }
    }

    /// Counts the lines. It reads only what was appended since the last call.
    pub(super) fn lines(&self) -> io::Result<u64> {
        self.count(LineIndex::lines)
    }

    /// Counts the lines that have ended.
    pub(super) fn ended_lines(&self) -> io::Result<u64> {
        self.count(LineIndex::ended_lines)
    }

    fn count(&self, count: impl FnOnce(&LineIndex) -> u64) -> io::Result<u64> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        match self.open()? {
            Some(file) => settled(&file, |content| index.follow(content))?,
            None => *index = LineIndex::default(),
        }
        Ok(count(&index))
    }

    /// Returns the last lines, as far as they fit into the last 64 KiB of the file, so the cost
    /// does not depend on the length of the file. A line that starts before that is cut and marked.
    pub(super) fn last(&self, count: usize) -> io::Result<LastLines> {
        let end = match self.open()? {
            Some(file) if count > 0 => settled(&file, FileEnd::read)?,
            _ => FileEnd::default(),
        };
        Ok(end.last(count))
    }

    pub(super) fn stamp(&self) -> io::Result<Stamp> {
        let metadata = absent_is_none(fs::metadata(&self.path))?;
        Ok(metadata.map(|metadata| (metadata.dev(), metadata.ino(), metadata.len())))
    }

    /// Reads lines from an index on. There are fewer than `count` when the file ends or the budget
    /// is spent.
    pub(super) fn read_within(
        &self,
        from: u64,
        count: u64,
        budget: &mut Budget,
        lines: &mut Vec<String>,
    ) -> io::Result<()> {
        let Some(file) = self.open()? else {
            return Ok(());
        };
        let (left, before) = (budget.left, lines.len());
        settled(&file, |content| {
            budget.left = left;
            lines.truncate(before);
            self.read_content(content, (from, count), budget, lines)
        })
    }

    fn read_content(
        &self,
        content: &Content<'_>,
        (from, count): (u64, u64),
        budget: &mut Budget,
        lines: &mut Vec<String>,
    ) -> io::Result<()> {
        let (start, skip, count, end) = {
            let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
            index.follow(content)?;
            let (start, skip) = index.nearest(from);
            (
                start,
                skip,
                count.min(index.lines().saturating_sub(from)),
                index.end(),
            )
        };
        if count == 0 {
            return Ok(());
        }
        // Stop at the end of the index: the file may be growing.
        let mut reader = BufReader::with_capacity(LINE_BYTES, content.part(start, end));
        for _ in 0..skip {
            reader.skip_until(b'\n')?;
        }
        for _ in 0..count {
            let line = read_line(&mut reader)?;
            if !budget.take(line.len()) {
                break;
            }
            lines.push(line);
        }
        Ok(())
    }

    fn open(&self) -> io::Result<Option<File>> {
        absent_is_none(File::open(&self.path))
    }
}

/// Reads a file again if a part of it was removed in between: the bytes of that part may be zeros.
fn settled<T>(file: &File, mut read: impl FnMut(&Content<'_>) -> io::Result<T>) -> io::Result<T> {
    let mut tries = 0;
    loop {
        let content = Content::of(file)?;
        let result = read(&content);
        tries += 1;
        if content.is_current()? {
            return result;
        }
        if tries == TRIES {
            return Err(ErrorKind::ResourceBusy.into());
        }
    }
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// The last bytes of a file.
#[derive(Debug, Default)]
struct FileEnd {
    bytes: Vec<u8>,
    /// True if the file has bytes before these.
    cut: bool,
}

impl FileEnd {
    fn read(content: &Content<'_>) -> io::Result<Self> {
        let length = content.length();
        let start = length.saturating_sub(TAIL_BYTES);
        let mut bytes = Vec::new();
        content.part(start, length).read_to_end(&mut bytes)?;
        Ok(Self {
            bytes,
            cut: start > 0,
        })
    }

    fn last(&self, count: usize) -> LastLines {
        let mut pieces: Vec<&[u8]> = without_end(&self.bytes)
            .rsplit(|byte| *byte == b'\n')
            .take(count.saturating_add(1))
            .collect();
        if self.bytes.is_empty() {
            pieces.clear();
        }
        if !self.cut || pieces.len() > count {
            pieces.truncate(count);
            return LastLines {
                lines: pieces.into_iter().rev().map(show).collect(),
                cut: false,
            };
        }
        // The first piece may start before the bytes that were read.
        let first = pieces.pop().map(after_character).unwrap_or_default();
        let marked = (!first.is_empty()).then(|| format!("{CUT}{}", show(first)));
        let others = pieces.into_iter().rev().map(show);
        LastLines {
            lines: marked.into_iter().chain(others).collect(),
            cut: true,
        }
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    let most = LINE_BYTES + 1;
    reader
        .by_ref()
        .take(most as u64)
        .read_until(b'\n', &mut bytes)?;
    let whole = bytes.len() < most || bytes.ends_with(b"\n");
    if whole {
        return Ok(show(without_end(&bytes)));
    }
    reader.skip_until(b'\n')?;
    Ok(format!(
        "{} … [cut after {LINE_BYTES} bytes]",
        show(before_character(&bytes[..LINE_BYTES]))
    ))
}

fn without_end(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

fn show(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}

/// Removes the beginning of a character that was cut.
fn before_character(bytes: &[u8]) -> &[u8] {
    let start = bytes
        .iter()
        .rposition(|byte| byte & 0b1100_0000 != 0b1000_0000)
        .unwrap_or(0);
    match str::from_utf8(&bytes[start..]) {
        Err(error) if error.error_len().is_none() => &bytes[..start],
        _ => bytes,
    }
}

/// Removes the end of a character that was cut.
fn after_character(bytes: &[u8]) -> &[u8] {
    let rest = bytes
        .iter()
        .take(3)
        .take_while(|byte| *byte & 0b1100_0000 == 0b1000_0000);
    &bytes[rest.count()..]
}
