//! Answers that are made piece by piece.

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use livius_domain::chain;
use livius_sessions::{Page, SessionError};

/// A piece is sent when it is at least as long.
pub const PIECE_BYTES: usize = 128 << 10;

/// How many items of a list are read at once.
pub const PAGE_ITEMS: u64 = 50;

/// Why an answer breaks off.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The application failed.
    #[error(transparent)]
    Sessions(#[from] SessionError),
    /// A piece of an output is not there: the statement or the job was forgotten meanwhile.
    #[error("a piece of an output is gone")]
    PieceGone,
}

/// The text of an answer.
pub trait Pieces: Send + Sized + 'static {
    /// The next piece, or `None` when all was sent.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, StreamError>> + Send;

    /// Whether nothing comes any more.
    fn has_ended(&self) -> bool;

    /// The body of the answer. Fails when its beginning cannot be read; if a later part cannot, the connection breaks off, so that
    /// nobody takes the part for the whole.
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

/// The page of a list with this window.
pub fn page_of(from: u64, size: u64) -> Page {
    let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
    Page {
        from: signed(from),
        size: signed(size),
    }
}
