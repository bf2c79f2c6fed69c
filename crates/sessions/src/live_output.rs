//! The newest text that a running statement has printed, for readers that follow it.
//!
//! The agent tells it in notices, which may be lost. Each has its place in its stream, so a reader sees
//! where text is missing. The statement's output has everything when it has ended.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livius_domain::{OutputStream, StageProgress};

/// The most text that is kept of a statement, in bytes.
const MOST_BYTES: usize = 64 << 10;

/// The most pieces that are kept of a statement: short ones take memory, too.
const MOST_PIECES: usize = 1_024;

/// The most stages that are kept of a statement. The agent tells fewer.
const MOST_STAGES: usize = 32;

/// The longest name of a stage that is kept, in characters. The agent tells shorter ones.
const LONGEST_NAME: usize = 256;

/// A piece of what a statement has printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The stream.
    pub stream: OutputStream,
    /// The number of bytes that the stream had before.
    pub offset: u64,
    /// The number of bytes that the text stands for. The text may be longer: bytes that are not
    /// UTF-8 are replaced.
    pub bytes: u64,
    /// The text.
    pub text: Arc<str>,
}

impl Printed {
    /// The number of bytes that the stream has with this piece.
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

/// How far a reader has read: the bytes of each stream. It is the same on every server, because the
/// agent counts the bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    stdout: u64,
    stderr: u64,
}

impl Place {
    fn of(&mut self, stream: OutputStream) -> &mut u64 {
        match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        }
    }

    /// Moves behind a piece. Returns how many bytes before it are missing, or `None` if this place is
    /// past it.
    fn pass(&mut self, piece: &Printed) -> Option<u64> {
        let place = self.of(piece.stream);
        if piece.end() <= *place {
            return None;
        }
        let missing = piece.offset.saturating_sub(*place);
        *place = piece.end();
        Some(missing)
    }
}

/// `<bytes of stdout>-<bytes of stderr>`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.stdout, self.stderr)
    }
}

/// The text is not a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not an id that this server has sent")]
pub struct BadPlace;

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let (stdout, stderr) = text.split_once('-').ok_or(BadPlace)?;
        let number = |text: &str| text.parse().map_err(|_| BadPlace);
        Ok(Self {
            stdout: number(stdout)?,
            stderr: number(stderr)?,
        })
    }
}

/// What a running statement has printed last, and its stages. Its readers keep it after its end.
#[derive(Debug, Default)]
pub struct LiveOutput(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    pieces: VecDeque<Printed>,
    bytes: usize,
    /// The end of what was kept, so that no piece comes twice.
    end: Place,
    stages: Arc<[StageProgress]>,
}

impl LiveOutput {
    /// Keeps a piece, and drops the oldest ones in excess. A piece that came before, or is too long,
    /// is ignored.
    pub fn add(&self, piece: Printed) {
        let mut kept = self.kept();
        if piece.text.len() > MOST_BYTES || kept.end.pass(&piece).is_none() {
            return;
        }
        kept.bytes += piece.text.len();
        kept.pieces.push_back(piece);
        while kept.bytes > MOST_BYTES || kept.pieces.len() > MOST_PIECES {
            let oldest = kept.pieces.pop_front();
            kept.bytes -= oldest.map_or(0, |piece| piece.text.len());
        }
    }

    /// Replaces the stages.
    pub fn set_stages(&self, mut stages: Vec<StageProgress>) {
        stages.truncate(MOST_STAGES);
        for stage in &mut stages {
            if let Some((end, _)) = stage.name.char_indices().nth(LONGEST_NAME) {
                stage.name.truncate(end);
            }
        }
        self.kept().stages = stages.into();
    }

    /// The length of the text that is kept.
    pub fn bytes(&self) -> usize {
        self.kept().bytes
    }

    /// The stages that run.
    pub fn stages(&self) -> Arc<[StageProgress]> {
        Arc::clone(&self.kept().stages)
    }

    /// The kept pieces past a place, each with the number of bytes that are missing before it. Moves
    /// the place behind them.
    pub fn past(&self, place: &mut Place) -> Vec<(u64, Printed)> {
        let kept = self.kept();
        let passed = kept.pieces.iter().filter_map(|piece| {
            let missing = place.pass(piece)?;
            Some((missing, piece.clone()))
        });
        passed.collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use OutputStream::{Stderr, Stdout};

    use super::*;

    fn piece(stream: OutputStream, offset: u64, text: &str) -> Printed {
        Printed {
            stream,
            offset,
            bytes: text.len() as u64,
            text: text.into(),
        }
    }

    fn read(live: &LiveOutput, place: &mut Place) -> Vec<(u64, String)> {
        let pieces = live.past(place).into_iter();
        pieces
            .map(|(missing, piece)| (missing, piece.text.to_string()))
            .collect()
    }

    fn found(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
        let owned = |(missing, text): &(u64, &str)| (*missing, (*text).to_owned());
        expected.iter().map(owned).collect()
    }

    #[test]
    fn a_reader_goes_on_where_it_was_and_sees_what_is_missing() {
        let live = LiveOutput::default();
        let mut place = Place::default();
        live.add(piece(Stdout, 0, "one"));
        live.add(piece(Stderr, 0, "bad"));
        assert_eq!(read(&live, &mut place), found(&[(0, "one"), (0, "bad")]));
        assert_eq!(place.to_string(), "3-3");
        assert_eq!(read(&live, &mut place), []);
        live.add(piece(Stdout, 3, "two"));
        live.add(piece(Stdout, 3, "two"));
        live.add(piece(Stdout, 10, "four"));
        let mut later: Place = "3-3".parse().unwrap();
        assert_eq!(read(&live, &mut later), found(&[(0, "two"), (4, "four")]));
        assert_eq!(later.to_string(), "14-3");
    }

    #[test]
    fn memory_is_bounded_by_bytes_and_by_pieces() {
        let live = LiveOutput::default();
        let long = "x".repeat(MOST_BYTES / 2);
        for turn in 0..5 {
            live.add(piece(Stdout, turn * long.len() as u64, &long));
        }
        live.add(piece(Stderr, 0, &"x".repeat(MOST_BYTES + 1)));
        let seen = live.past(&mut Place::default());
        let missing: Vec<u64> = seen.iter().map(|(missing, _)| *missing).collect();
        assert_eq!(missing, [3 * long.len() as u64, 0]);

        let live = LiveOutput::default();
        for at in 0..2 * MOST_PIECES as u64 {
            live.add(piece(Stdout, at, "x"));
        }
        assert_eq!(live.past(&mut Place::default()).len(), MOST_PIECES);
    }

    #[test]
    fn stages_are_bounded() {
        let stage = StageProgress {
            id: 1,
            name: "π".repeat(1_000),
            tasks: 2,
            done: 1,
            running: 1,
        };
        let live = LiveOutput::default();
        live.set_stages(vec![stage; 100]);
        let stages = live.stages();
        let shown = (stages.len(), stages[0].name.chars().count());
        assert_eq!(shown, (MOST_STAGES, LONGEST_NAME));
    }

    #[test]
    fn a_place_is_two_numbers() {
        for bad in [
            "",
            "1",
            "1-",
            "-1",
            "1-2-3",
            "a-b",
            "99999999999999999999-0",
        ] {
            assert_eq!(bad.parse::<Place>(), Err(BadPlace), "{bad}");
        }
    }
}
