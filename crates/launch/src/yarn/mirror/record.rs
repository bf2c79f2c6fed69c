//! How far the log of a container was copied, and what follows.

use serde::{Deserialize, Serialize};

use crate::log::append::Append;

/// The bytes that are read and appended at once.
const CHUNK: u64 = 4 << 20;

/// An output of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Output {
    Stdout,
    Stderr,
}

impl Output {
    pub(super) const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// The name of its file at YARN.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The content of `mirror.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) container: Option<Source>,
    /// True if an earlier attempt ran in another container.
    pub(super) repeated: bool,
    /// Why the attempt before the present one has ended. Records of earlier versions lack it.
    #[serde(default)]
    pub(super) why_repeated: Option<String>,
    pub(super) stdout: Copied,
    pub(super) stderr: Copied,
    pub(super) pending: Option<Pending>,
    /// True if a line says that the log cannot be read.
    pub(super) noted: bool,
    /// True if nothing is copied any more.
    pub(super) complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) id: String,
    pub(super) node: Option<String>,
}

/// How far an output of the container was copied, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Copied {
    /// The length of the copied part of the container's file.
    pub(super) bytes: u64,
    /// The place in our file where the first container's output begins.
    pub(super) begins: u64,
}

/// An append that may have been broken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) output: Output,
    #[serde(flatten)]
    pub(super) append: Append,
    /// The length of the copied part when it is done.
    pub(super) bytes: u64,
}

/// A part of a container's file that is to be copied next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// The bytes before it that are left out.
    pub(super) skipped: u64,
    pub(super) from: u64,
    pub(super) length: usize,
}

/// The part that follows what was copied. Of a file that has grown by more than the limit, only the
/// end is kept, so only that is copied.
pub(super) fn next(copied: u64, total: u64, limit: u64) -> Option<Piece> {
    let unread = total.checked_sub(copied).filter(|unread| *unread > 0)?;
    let skipped = if unread > limit {
        unread - limit / 2
    } else {
        0
    };
    let length = (unread - skipped).min(CHUNK);
    Some(Piece {
        skipped,
        from: copied + skipped,
        length: usize::try_from(length).ok().filter(|length| *length > 0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_piece_follows_the_copied_part() {
        let piece = |skipped, from, length| {
            Some(Piece {
                skipped,
                from,
                length,
            })
        };
        let chunk = usize::try_from(CHUNK).unwrap();
        for (copied, total, limit, expected) in [
            (0, 0, 100, None),
            (7, 7, 100, None),
            // The file is another one, or its server has only a part of it.
            (7, 3, 100, None),
            (0, 5, 100, piece(0, 0, 5)),
            (5, 7, 100, piece(0, 5, 2)),
            (5, 105, 100, piece(0, 5, 100)),
            // More than the limit holds: the newest half of the limit.
            (5, 106, 100, piece(51, 56, 50)),
            (1, 2, 0, None),
            (0, 3 * CHUNK, 9 * CHUNK, piece(0, 0, chunk)),
            (CHUNK, CHUNK + 1, 9 * CHUNK, piece(0, CHUNK, 1)),
        ] {
            assert_eq!(next(copied, total, limit), expected, "{copied} of {total}");
        }
    }
}
