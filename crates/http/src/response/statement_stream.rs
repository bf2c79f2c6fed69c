//! Streams statements, however long their outputs are.
//!
//! Long outputs are read and sent piece by piece. Long lists are read in parts of a few megabytes,
//! or of one statement if its code is longer. Short responses, nearly all, are one piece with a
//! known length.

use std::collections::VecDeque;

use axum::body::Bytes;
use livius_domain::StatementRecord;
use livius_sessions::{OutputView, SessionError, SessionRef, Sessions, StatementView};
use livius_wire::{StatementEnvelope, statement_list_head, statement_list_tail};

use crate::request::page::Page;
use crate::response::client::ClientOf;
use crate::response::pieces::{PIECE_BYTES, Pieces, Rest, StreamError};

/// Statements that are being written.
pub struct StatementStream {
    sessions: ClientOf<Sessions>,
    /// The part of the list that is not read yet.
    rest: Option<(SessionRef, Rest)>,
    /// Statements that are read but not written yet.
    waiting: VecDeque<StatementView>,
    /// The long output that is being written.
    long: Option<LongOutput>,
    /// The separator before the next statement of a list.
    separator: &'static [u8],
    /// The text after the last statement.
    tail: Vec<u8>,
    /// Bytes that are written but not sent yet.
    piece: Vec<u8>,
    ended: bool,
}

struct LongOutput {
    record: StatementRecord,
    progress: f64,
    next: u32,
    chunks: u32,
}

impl Pieces for StatementStream {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        while !self.ended && self.piece.len() < PIECE_BYTES {
            if self.long.is_some() {
                self.write_chunk().await?;
            } else if let Some(view) = self.waiting.pop_front() {
                self.write(view);
            } else if !self.read_more().await? {
                self.piece.append(&mut self.tail);
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

impl StatementStream {
    /// Writes one statement.
    pub fn one(sessions: ClientOf<Sessions>, view: StatementView) -> Self {
        Self {
            sessions,
            rest: None,
            waiting: VecDeque::from([view]),
            long: None,
            separator: b"",
            tail: Vec::new(),
            piece: Vec::new(),
            ended: false,
        }
    }

    /// Writes a page of a session's statements.
    pub async fn list(
        sessions: ClientOf<Sessions>,
        session: SessionRef,
        page: Page,
        descending: bool,
    ) -> Result<Self, SessionError> {
        let mut rest = Rest::new(page, descending);
        let part = sessions
            .acting()
            .statements(&session, rest.window())
            .await?;
        rest.advance(&part);
        let (mut piece, mut tail) = (Vec::new(), Vec::new());
        statement_list_head(part.total.unwrap_or_default(), &mut piece);
        statement_list_tail(&mut tail);
        Ok(Self {
            sessions,
            rest: Some((session, rest)),
            waiting: part.records.into(),
            long: None,
            separator: b"",
            tail,
            piece,
            ended: false,
        })
    }

    fn write(&mut self, view: StatementView) {
        self.piece.extend_from_slice(self.separator);
        self.separator = b",";
        let envelope = StatementEnvelope::new(&view.record, view.progress);
        match &view.output {
            OutputView::None => envelope.write(None, &mut self.piece),
            OutputView::Inline(text) => envelope.write(Some(text), &mut self.piece),
            OutputView::Chunked { chunks, .. } => {
                envelope.head(&mut self.piece);
                let (chunks, progress) = (*chunks, view.progress);
                self.long = Some(LongOutput {
                    record: view.record,
                    progress,
                    next: 0,
                    chunks,
                });
            }
        }
    }

    async fn write_chunk(&mut self) -> Result<(), StreamError> {
        let Some(long) = &mut self.long else {
            return Ok(());
        };
        if long.next < long.chunks {
            let chunk = self
                .sessions
                .service
                .output_chunk(long.record.session, long.record.id, long.next)
                .await?;
            self.piece
                .extend_from_slice(chunk.ok_or(StreamError::PieceGone)?.as_bytes());
            long.next += 1;
        } else {
            StatementEnvelope::new(&long.record, long.progress).tail(&mut self.piece);
            self.long = None;
        }
        Ok(())
    }

    /// Reads the next part. Returns false at the end of the list.
    async fn read_more(&mut self) -> Result<bool, StreamError> {
        let Some((session, rest)) = self.rest.as_mut().filter(|(_, rest)| !rest.is_empty()) else {
            return Ok(false);
        };
        let window = rest.window();
        let part = self.sessions.acting().statements(session, window).await?;
        rest.advance(&part);
        self.waiting.extend(part.records);
        Ok(true)
    }
}
