//! Streams responses piece by piece.

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use livius_domain::chain;
use livius_sessions::{Page, SessionError};

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

/// Returns a page with this window.
pub fn page_of(from: u64, size: u64) -> Page {
    let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
    Page {
        from: signed(from),
        size: signed(size),
    }
}
