//! The log of a container: its output in pieces, each with the time when it was read.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

use camino::Utf8Path;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::watch;

use super::time::{nanos, now};

/// The most bytes of a line in one piece, as in containerd.
const LONGEST_PIECE: usize = 16 * 1024;

/// A line, or a part of one.
#[derive(Debug, Clone, Copy)]
struct Piece {
    at: Timestamp,
    offset: u64,
    length: usize,
    /// Tells whether the line ends here.
    whole: bool,
}

/// Text is in a file, because a container may write without end.
pub struct Log {
    file: File,
    pieces: Mutex<Vec<Piece>>,
    /// The number of pieces, and whether there will be no more.
    state: watch::Sender<(usize, bool)>,
}

impl Log {
    pub fn new(path: &Utf8Path) -> Self {
        let file = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        Self {
            file,
            pieces: Mutex::default(),
            state: watch::Sender::new((0, false)),
        }
    }

    /// Copies the output of a container, until all its processes have closed it.
    pub async fn copy(&self, mut output: impl AsyncRead + Unpin) {
        let mut line = Vec::with_capacity(LONGEST_PIECE);
        let mut buffer = vec![0; LONGEST_PIECE];
        while let Ok(length @ 1..) = output.read(&mut buffer).await {
            for part in buffer[..length].split_inclusive(|byte| *byte == b'\n') {
                let (text, whole) = match part.split_last() {
                    Some((b'\n', text)) => (text, true),
                    _ => (part, false),
                };
                line.extend_from_slice(text);
                while line.len() > LONGEST_PIECE {
                    let rest = line.split_off(LONGEST_PIECE);
                    self.add(&line, false);
                    line = rest;
                }
                if whole {
                    self.add(&line, true);
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            self.add(&line, false);
        }
        self.state.send_modify(|(_, ended)| *ended = true);
    }

    fn add(&self, text: &[u8], whole: bool) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = pieces
            .last()
            .map_or(0, |piece| piece.offset + piece.length as u64);
        self.file.write_all_at(text, offset).unwrap();
        pieces.push(Piece {
            at: now(),
            offset,
            length: text.len(),
            whole,
        });
        let count = pieces.len();
        drop(pieces);
        self.state.send_modify(|(known, _)| *known = count);
    }

    fn piece(&self, index: usize) -> Option<(Piece, Vec<u8>)> {
        let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = *pieces.get(index)?;
        drop(pieces);
        let mut text = vec![0; piece.length];
        self.file.read_exact_at(&mut text, piece.offset).unwrap();
        Some((piece, text))
    }

    /// The index of the first piece of the last lines.
    fn tail(&self, lines: usize) -> usize {
        let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = |index: usize| index == 0 || pieces[index - 1].whole;
        match lines.checked_sub(1) {
            None => pieces.len(),
            Some(skipped) => (0..pieces.len())
                .rev()
                .filter(|index| begins(*index))
                .nth(skipped)
                .unwrap_or(0),
        }
    }
}

/// The part of a log that a reader wants.
#[derive(Debug, Default)]
pub struct Selection {
    pub follow: bool,
    pub timestamps: bool,
    pub since: Option<Timestamp>,
    pub tail: Option<usize>,
    pub limit: Option<u64>,
}

/// Reads a selection of a log, piece by piece.
pub struct Reader<L> {
    log: L,
    selection: Selection,
    state: watch::Receiver<(usize, bool)>,
    next: usize,
    /// Tells whether the next piece begins a line.
    at_start: bool,
}

impl<L: AsRef<Log>> Reader<L> {
    pub fn new(log: L, selection: Selection) -> Self {
        let state = log.as_ref().state.subscribe();
        let next = selection.tail.map_or(0, |lines| log.as_ref().tail(lines));
        Self {
            log,
            selection,
            state,
            next,
            at_start: true,
        }
    }

    /// The next bytes. `None` at the end of the log, or of what was wanted.
    pub async fn read(&mut self) -> Option<Vec<u8>> {
        loop {
            if self.selection.limit == Some(0) {
                return None;
            }
            let (_, ended) = *self.state.borrow_and_update();
            let Some((piece, text)) = self.log.as_ref().piece(self.next) else {
                if ended || !self.selection.follow {
                    return None;
                }
                self.state.changed().await.ok()?;
                continue;
            };
            self.next += 1;
            if self.selection.since.is_some_and(|since| piece.at < since) {
                continue;
            }
            return Some(self.shown(piece, &text));
        }
    }

    fn shown(&mut self, piece: Piece, text: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len() + 32);
        if self.selection.timestamps && self.at_start {
            bytes.extend_from_slice(nanos(piece.at).as_bytes());
            bytes.push(b' ');
        }
        bytes.extend_from_slice(text);
        if piece.whole {
            bytes.push(b'\n');
        }
        self.at_start = piece.whole;
        if let Some(limit) = &mut self.selection.limit {
            bytes.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
            *limit -= bytes.len() as u64;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn log(folder: &tempfile::TempDir) -> Arc<Log> {
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        Arc::new(Log::new(&folder.join("log")))
    }

    async fn text(log: &Arc<Log>, selection: Selection) -> String {
        let mut reader = Reader::new(Arc::clone(log), selection);
        let mut all = Vec::new();
        while let Some(bytes) = reader.read().await {
            all.extend(bytes);
        }
        String::from_utf8(all).unwrap()
    }

    #[tokio::test]
    async fn a_selection_takes_lines_from_the_end_and_bytes_from_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(&folder);
        log.copy(b"one\n\ntwo\nrest".as_slice()).await;
        assert_eq!(text(&log, Selection::default()).await, "one\n\ntwo\nrest");
        let tail = |lines| Selection {
            tail: Some(lines),
            ..Selection::default()
        };
        assert_eq!(text(&log, tail(2)).await, "two\nrest");
        assert_eq!(text(&log, tail(0)).await, "");
        assert_eq!(text(&log, tail(9)).await, "one\n\ntwo\nrest");
        let limited = Selection {
            limit: Some(5),
            ..tail(2)
        };
        assert_eq!(text(&log, limited).await, "two\nr");
    }

    #[tokio::test]
    async fn each_line_has_its_time_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(&folder);
        let wide = "x".repeat(LONGEST_PIECE * 2 + 1);
        log.copy(format!("{wide}\nend\n").as_bytes()).await;
        let all = text(
            &log,
            Selection {
                timestamps: true,
                ..Selection::default()
            },
        )
        .await;
        let lines: Vec<&str> = all.lines().collect();
        assert_eq!(lines.len(), 2);
        let (stamp, line) = lines[0].split_once(' ').unwrap();
        assert_eq!(line, wide);
        assert_eq!(stamp.len(), "2026-11-30T16:05:09.500000000Z".len());
        let second: Timestamp = lines[1].split_once(' ').unwrap().0.parse().unwrap();
        let since = |since| Selection {
            since: Some(since),
            ..Selection::default()
        };
        assert_eq!(text(&log, since(second)).await, "end\n");
        let later = second + Duration::from_nanos(1);
        assert_eq!(text(&log, since(later)).await, "");
    }

    #[tokio::test]
    async fn a_follower_sees_each_line_until_the_container_closes_its_output() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(&folder);
        let (mut output, input) = tokio::io::duplex(64);
        let following = Selection {
            follow: true,
            ..Selection::default()
        };
        let mut reader = Reader::new(Arc::clone(&log), following);
        let write = async {
            use tokio::io::AsyncWriteExt as _;
            output.write_all(b"one\n").await.unwrap();
            let first = reader.read().await;
            output.write_all(b"two").await.unwrap();
            drop(output);
            (first, reader.read().await, reader.read().await)
        };
        let (read, ()) = tokio::join!(write, log.copy(input));
        let line = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(read, (line("one\n"), line("two"), None));
    }
}
