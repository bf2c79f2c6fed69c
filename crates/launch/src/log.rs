//! The log of a driver on this machine: its two output files as one list of lines, composed as Livy
//! does.
//!
//! The driver appends to the files, its supervisor removes their middle when they get too long
//! (`keeper`), and the server never holds one in memory. Everything here reads files
//! synchronously: a tail reads 128 KiB at most and may run on any thread, a page may read megabytes
//! and belongs on a blocking one.

pub(crate) mod append;
mod content;
mod file;
mod index;
mod keeper;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use livius_domain::OutputStream;

use self::file::{Budget, LastLines, LogFile, Stamp};
pub(crate) use self::keeper::{LogKeeper, keep_within};
use crate::{LogLines, LogNews, LogPlace};

/// The most text of one response, in bytes. Clients get the rest with a higher `from`.
pub(crate) const ANSWER_BYTES: usize = 16 << 20;

/// The most text of the news of a log, in bytes. A line has at most 64 KiB.
const NEWS_BYTES: usize = 256 << 10;

/// How old the last lines may be for a reader that does not look at the files. No person sees the
/// difference, and however many read at once, the files are looked at a hundred times a second.
const MOMENT: Duration = Duration::from_millis(10);

const STDOUT_HEADING: &str = "stdout: ";
/// As in Livy, the line break is part of the line.
const STDERR_HEADING: &str = "\nstderr: ";

/// The files of a driver whose log is brought from a cluster.
#[derive(Debug, Clone)]
pub(crate) struct MirroredFiles {
    pub(crate) stdout: Utf8PathBuf,
    pub(crate) stderr: Utf8PathBuf,
    /// How far it was brought: `mirror.json`.
    pub(crate) record: Utf8PathBuf,
}

/// Both files of a driver as one list: a heading, the lines of stdout, a heading, the lines of
/// stderr.
#[derive(Debug)]
pub(crate) struct DriverLog {
    stdout: LogFile,
    stderr: LogFile,
    /// The last result of [`DriverLog::tail`]. Every request for a session needs it.
    last_tail: Mutex<Option<Tail>>,
}

#[derive(Debug)]
struct Tail {
    count: usize,
    files: [Stamp; 2],
    lines: Vec<String>,
    /// When the files were last seen to be like that.
    seen: Instant,
}

impl DriverLog {
    /// Names the files. They need not exist yet.
    pub(crate) fn new(stdout: Utf8PathBuf, stderr: Utf8PathBuf) -> Self {
        Self {
            stdout: LogFile::new(stdout),
            stderr: LogFile::new(stderr),
            last_tail: Mutex::new(None),
        }
    }

    /// Reads a page.
    ///
    /// As in Livy, a negative `size` means all lines, and a negative `from` means the last `size`
    /// lines. Any other `from` is returned unchanged, even beyond the end. Unlike in Livy, a
    /// response ends early at [`ANSWER_BYTES`] of text.
    pub(crate) fn page(&self, from: i64, size: i64) -> io::Result<LogLines> {
        let (out, err) = (self.stdout.lines()?, self.stderr.lines()?);
        let total = out + err + 2;
        let size = u64::try_from(size).unwrap_or(total);
        let start = u64::try_from(from).unwrap_or(total.saturating_sub(size));
        let end = start.saturating_add(size).min(total);

        let mut lines = Vec::new();
        let mut budget = Budget::new(ANSWER_BYTES);
        let sections = [
            (STDOUT_HEADING, &self.stdout, 0, out),
            (STDERR_HEADING, &self.stderr, out + 1, err),
        ];
        for (heading, file, position, count) in sections {
            if (start..end).contains(&position) {
                lines.push(heading.to_owned());
            }
            let within = |index: u64| index.saturating_sub(position + 1).min(count);
            let (first, after) = (within(start), within(end));
            if first < after {
                file.read_within(first, after - first, &mut budget, &mut lines)?;
            }
            if budget.is_spent() {
                break;
            }
        }
        Ok(LogLines {
            from: i64::try_from(start).unwrap_or(i64::MAX),
            total,
            lines,
        })
    }

    /// Reads lines behind a place, at most so many. A line that has not ended is left out, unless the
    /// log `is_over`.
    pub(crate) fn past(&self, place: LogPlace, most: u64, is_over: bool) -> io::Result<LogNews> {
        let mut news = LogNews {
            place,
            lines: Vec::new(),
            is_cut: false,
        };
        let mut budget = Budget::new(NEWS_BYTES);
        for (stream, file) in [
            (OutputStream::Stdout, &self.stdout),
            (OutputStream::Stderr, &self.stderr),
        ] {
            let count = if is_over {
                file.lines()?
            } else {
                file.ended_lines()?
            };
            let place = news.place.of(stream);
            // The file was replaced, or lost its middle: nobody knows which lines are new.
            if *place > count {
                *place = count;
                news.is_cut = true;
            }
            let left = most.saturating_sub(news.lines.len() as u64);
            let mut lines = Vec::new();
            if left > 0 && *place < count {
                file.read_within(*place, left.min(count - *place), &mut budget, &mut lines)?;
            }
            *place += lines.len() as u64;
            news.lines
                .extend(lines.into_iter().map(|line| (stream, line)));
        }
        Ok(news)
    }

    /// The place before the last lines.
    pub(crate) fn before_last(&self, count: u64) -> io::Result<LogPlace> {
        let (out, err) = (self.stdout.lines()?, self.stderr.lines()?);
        let of_err = err.min(count);
        Ok(LogPlace {
            stdout: out - out.min(count - of_err),
            stderr: err - of_err,
        })
    }

    /// Returns the last lines. It reads nothing while neither file changes, and otherwise at most
    /// the last 64 KiB of each. Lines that do not fit are left out, and the first line that is cut
    /// is marked.
    pub(crate) fn tail(&self, count: usize) -> io::Result<Vec<String>> {
        let seen = Instant::now();
        let files = [self.stdout.stamp()?, self.stderr.stamp()?];
        let mut last = self
            .last_tail
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(tail) = last
            .as_mut()
            .filter(|tail| tail.count == count && tail.files == files)
        {
            tail.seen = seen;
            return Ok(tail.lines.clone());
        }
        let lines = self.read_tail(count)?;
        *last = Some(Tail {
            count,
            files,
            lines: lines.clone(),
            seen,
        });
        Ok(lines)
    }

    /// Returns the last lines, if [`DriverLog::tail`] looked for them a moment ago. It waits neither
    /// for the disk nor for a reader that does.
    pub(crate) fn recent_tail(&self, count: usize) -> Option<Vec<String>> {
        self.tail_seen_since(Instant::now().checked_sub(MOMENT)?, count)
    }

    fn tail_seen_since(&self, time: Instant, count: usize) -> Option<Vec<String>> {
        let last = self.last_tail.try_lock().ok()?;
        let tail = last.as_ref()?;
        (tail.count == count && tail.seen >= time).then(|| tail.lines.clone())
    }

    fn read_tail(&self, count: usize) -> io::Result<Vec<String>> {
        let mut tail = Vec::new();
        for (heading, file) in [
            (STDERR_HEADING, &self.stderr),
            (STDOUT_HEADING, &self.stdout),
        ] {
            let LastLines { lines, cut } = file.last(count - tail.len())?;
            tail.splice(0..0, lines);
            if cut || tail.len() == count {
                break;
            }
            tail.insert(0, heading.to_owned());
            if tail.len() == count {
                break;
            }
        }
        Ok(tail)
    }
}
