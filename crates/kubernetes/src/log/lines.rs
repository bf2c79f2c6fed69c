//! Lines with times, out of bytes.

use jiff::Timestamp;

/// The longest part of a line in one piece, in bytes.
const LONGEST_PIECE: usize = 1 << 20;

/// A line of a log, or a piece of a very long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The time at which the container wrote the line. `None` for the words of a node that cannot
    /// read the log.
    pub at: Option<Timestamp>,
    /// The text without its newline. At most 1 MiB.
    pub text: Vec<u8>,
    /// Whether the line ends here. A line of more than 1 MiB comes in pieces, of which only the last
    /// one ends. The last line of a log ends only if the container wrote a newline.
    pub ends: bool,
}

/// Cuts bytes into lines.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The line so far, with its time.
    buffer: Vec<u8>,
    /// Whether a piece of the line was given out, and the line's time then.
    is_continued: bool,
    at: Option<Timestamp>,
}

impl Splitter {
    /// Takes bytes up to the end of a line. Tells how many it took.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Option<LogLine>) {
        let room = LONGEST_PIECE - self.buffer.len();
        let bytes = &bytes[..bytes.len().min(room)];
        if let Some(end) = memchr::memchr(b'\n', bytes) {
            self.buffer.extend_from_slice(&bytes[..end]);
            return (end + 1, Some(self.line(true)));
        }
        self.buffer.extend_from_slice(bytes);
        let is_full = self.buffer.len() == LONGEST_PIECE;
        (bytes.len(), is_full.then(|| self.line(false)))
    }

    /// The last line, if it has no newline.
    pub fn rest(&mut self) -> Option<LogLine> {
        (!self.buffer.is_empty()).then(|| self.line(false))
    }

    fn line(&mut self, ends: bool) -> LogLine {
        let line = std::mem::take(&mut self.buffer);
        let (at, text) = if self.is_continued {
            (self.at, line)
        } else {
            timed(line)
        };
        self.is_continued = !ends;
        self.at = at;
        LogLine { at, text, ends }
    }
}

/// The time before a line, and the line.
fn timed(line: Vec<u8>) -> (Option<Timestamp>, Vec<u8>) {
    /// A time in RFC 3339 with nanoseconds and an offset has 35 bytes.
    const LONGEST_TIME: usize = 40;
    let head = &line[..line.len().min(LONGEST_TIME)];
    let end = memchr::memchr(b' ', head).unwrap_or(line.len().min(LONGEST_TIME));
    let time = std::str::from_utf8(&line[..end]).ok();
    match time.and_then(|time| time.parse::<Timestamp>().ok()) {
        Some(at) => (Some(at), line.get(end + 1..).unwrap_or_default().to_vec()),
        None => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a text that comes in parts of a size.
    fn split(text: &[u8], part: usize) -> Vec<LogLine> {
        let mut splitter = Splitter::default();
        let mut lines = Vec::new();
        for mut bytes in text.chunks(part) {
            while !bytes.is_empty() {
                let (taken, line) = splitter.take(bytes);
                assert!(taken > 0);
                bytes = &bytes[taken..];
                lines.extend(line);
            }
        }
        lines.extend(splitter.rest());
        assert_eq!(splitter.rest(), None);
        lines
    }

    fn shown(lines: &[LogLine]) -> Vec<(String, String, bool)> {
        let shown = lines.iter().map(|line| {
            let at = line.at.map_or_else(String::new, |at| at.to_string());
            (
                at,
                String::from_utf8_lossy(&line.text).into_owned(),
                line.ends,
            )
        });
        shown.collect()
    }

    #[test]
    fn lines_have_their_times_however_they_come() {
        let text = "2026-11-30T14:02:12.563000001Z one two\n\
                    2026-11-30T15:02:13+01:00 \n\
                    2026-11-30T14:02:14Z\n\
                    unable to retrieve container logs\n\
                    \n\
                    2026-11-30T14:02:15Z last"
            .as_bytes();
        let expected = [
            ("2026-11-30T14:02:12.563000001Z", "one two", true),
            ("2026-11-30T14:02:13Z", "", true),
            ("2026-11-30T14:02:14Z", "", true),
            ("", "unable to retrieve container logs", true),
            ("", "", true),
            ("2026-11-30T14:02:15Z", "last", false),
        ]
        .map(|(at, text, ends)| (at.to_owned(), text.to_owned(), ends));
        for part in [1, 2, 7, 64, 10_000] {
            assert_eq!(shown(&split(text, part)), expected);
        }
    }

    #[test]
    fn a_very_long_line_comes_in_pieces_with_one_time() {
        let time = "2026-11-30T14:02:12Z";
        // The second piece begins like a time, and is none.
        let first = "x".repeat(LONGEST_PIECE - time.len() - 1);
        let second = "2020-01-01T00:00:00Z y".repeat(LONGEST_PIECE / 10);
        let text = format!("{time} {first}{second}\n{time} z\n");
        for part in [999, LONGEST_PIECE, text.len()] {
            let lines = split(text.as_bytes(), part);
            let all: Vec<u8> = lines.iter().flat_map(|line| line.text.clone()).collect();
            assert_eq!(all, format!("{first}{second}z").into_bytes());
            let ends: Vec<bool> = lines.iter().map(|line| line.ends).collect();
            assert_eq!(ends, [false, false, false, true, true]);
            let at = Some(time.parse().unwrap());
            assert!(lines.iter().all(|line| line.at == at));
            assert!(lines.iter().all(|line| line.text.len() <= LONGEST_PIECE));
        }
    }

    #[test]
    fn a_line_that_is_exactly_full_ends_with_an_empty_piece() {
        let text = format!("{}\n", "x".repeat(LONGEST_PIECE));
        let lines = split(text.as_bytes(), 4096);
        let shown: Vec<_> = lines
            .iter()
            .map(|line| (line.text.len(), line.ends))
            .collect();
        assert_eq!(shown, [(LONGEST_PIECE, false), (0, true)]);
    }
}
