//! Streams a job, however long its result is.

use axum::body::Bytes;
use livius_domain::JobRecord;
use livius_sessions::{JobView, OutputView, Sessions};
use livius_wire::JobEnvelope;

use crate::response::pieces::{PIECE_BYTES, Pieces, StreamError};

/// A job that is being written.
pub struct JobStream {
    sessions: Sessions,
    record: JobRecord,
    /// The next piece of the result, and the number of pieces.
    next: u32,
    chunks: u32,
    /// Bytes that are written but not sent yet.
    piece: Vec<u8>,
    ended: bool,
}

impl JobStream {
    /// Writes as much as needs no access to the store.
    pub fn new(sessions: Sessions, view: JobView) -> Self {
        let (mut piece, mut pieces) = (Vec::new(), None);
        let job = JobEnvelope::new(&view.record);
        match &view.result {
            OutputView::None => job.bare(&mut piece),
            OutputView::Inline(result) => {
                job.head(&mut piece);
                job.piece(result, &mut piece);
                job.tail(&mut piece);
            }
            OutputView::Chunked { chunks, .. } => {
                job.head(&mut piece);
                pieces = Some(*chunks);
            }
        }
        Self {
            sessions,
            record: view.record,
            next: 0,
            chunks: pieces.unwrap_or(0),
            piece,
            ended: pieces.is_none(),
        }
    }

    async fn write_chunk(&mut self) -> Result<(), StreamError> {
        let (session, job) = (self.record.session, self.record.id);
        let chunk = self.sessions.job_chunk(session, job, self.next).await?;
        let chunk = chunk.ok_or(StreamError::PieceGone)?;
        JobEnvelope::new(&self.record).piece(&chunk, &mut self.piece);
        self.next += 1;
        Ok(())
    }
}

impl Pieces for JobStream {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        while !self.ended && self.piece.len() < PIECE_BYTES {
            if self.next < self.chunks {
                self.write_chunk().await?;
            } else {
                JobEnvelope::new(&self.record).tail(&mut self.piece);
                self.ended = true;
            }
        }
        let piece = std::mem::take(&mut self.piece);
        Ok((!piece.is_empty()).then(|| Bytes::from(piece)))
    }

    fn has_ended(&self) -> bool {
        self.ended
    }
}
