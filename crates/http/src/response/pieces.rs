//! Streams responses piece by piece.

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use livius_domain::chain;
use livius_sessions::{Part, SessionError, Start, Window};

use crate::request::page::Page;

/// A piece is sent when it has at least this length.
pub const PIECE_BYTES: usize = 128 << 10;

/// The number of items of a list that are read at once.
pub const PAGE_ITEMS: u64 = 50;

/// The reason why a response breaks off.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The application failed.
    #[error(transparent)]
    Sessions(#[from] SessionError),
    /// A piece of an output is missing: the statement or the job was deleted in between.
    #[error("a piece of an output is gone")]
    PieceGone,
}

/// A response that is written in pieces.
pub trait Pieces: Send + Sized + 'static {
    /// Returns the next piece, or `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, StreamError>> + Send;

    /// Tells whether the response is complete.
    fn has_ended(&self) -> bool;

    /// Turns this into a body. An error before the first piece is returned. After a later error the
    /// connection is closed, so that no client takes a part for the whole.
    async fn into_body(mut self) -> Result<Body, StreamError> {
        let first = self.next().await?.unwrap_or_default();
        if self.has_ended() {
            return Ok(Body::from(first));
        }
        let later = stream::try_unfold(self, async |mut pieces: Self| {
            let piece = pieces.next().await.inspect_err(|error| {
                tracing::warn!(error = %chain(error), "an answer broke off");
            })?;
            Ok::<_, StreamError>(piece.map(|piece| (piece, pieces)))
        });
        Ok(Body::from_stream(
            stream::once(async { Ok(first) }).chain(later),
        ))
    }
}

/// The rest of a page of a list. It is read part by part. Each part begins after the last row of the
/// one before it, so that no row is skipped or repeated while others come and go.
pub struct Rest {
    start: Start,
    size: u64,
    descending: bool,
}

impl Rest {
    /// The whole page.
    pub fn new(page: Page, descending: bool) -> Self {
        let (offset, size) = page.window();
        Self {
            start: Start::Offset(offset),
            size,
            descending,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// The next part to read.
    pub fn window(&self) -> Window {
        Window {
            start: self.start,
            limit: self.size.min(PAGE_ITEMS),
            descending: self.descending,
        }
    }

    /// Leaves out a part that was read. The first part tells how many items there are at all.
    pub fn advance<T>(&mut self, part: &Part<T>) {
        self.size = self.size.saturating_sub(part.seen);
        if let (Start::Offset(offset), Some(total)) = (self.start, part.total) {
            let after = total.saturating_sub(offset).saturating_sub(part.seen);
            self.size = self.size.min(after);
        }
        match part.next {
            Some(last) => self.start = Start::After(last),
            None => self.size = 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(total: Option<u64>, numbers: &[i32]) -> Part<i32> {
        Part {
            total,
            records: numbers.to_vec(),
            seen: numbers.len() as u64,
            next: numbers.last().copied(),
        }
    }

    fn starts(page: Page, parts: &[Part<i32>]) -> Vec<(Start, u64)> {
        let mut rest = Rest::new(page, false);
        let mut windows = Vec::new();
        for part in parts {
            let window = rest.window();
            windows.push((window.start, window.limit));
            rest.advance(part);
        }
        assert!(rest.is_empty());
        windows
    }

    /// A part may have fewer rows than were asked for, as its rows are long.
    #[test]
    fn each_part_begins_after_the_last_row_of_the_one_before() {
        let long = Page {
            from: 1,
            size: 1_000,
        };
        let parts = [part(Some(5), &[3, 4]), part(None, &[9]), part(None, &[12])];
        let expected = [
            (Start::Offset(1), 50),
            (Start::After(4), 2),
            (Start::After(9), 1),
        ];
        assert_eq!(starts(long, &parts), expected);
        // Rows that are gone end the list early.
        let parts = [part(Some(50), &[3]), part(None, &[])];
        let expected = [(Start::Offset(1), 50), (Start::After(3), 48)];
        assert_eq!(starts(long, &parts), expected);
        let short = Page { from: -1, size: 3 };
        let parts = [part(Some(50), &[3, 4])];
        assert_eq!(starts(short, &parts), [(Start::Offset(0), 2)]);
        let nothing = Page { from: 0, size: 0 };
        assert_eq!(
            starts(nothing, &[part(Some(50), &[])]),
            [(Start::Offset(0), 0)]
        );
    }
}
