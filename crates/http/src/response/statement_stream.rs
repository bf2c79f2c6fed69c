//! Streams statements, however long their outputs are.
//!
//! Long outputs are read and sent piece by piece, long lists page by page, so a response never
//! holds more than a few hundred kilobytes in memory. Short responses, nearly all, are one piece
//! with a known length.

use std::collections::VecDeque;

use axum::body::Bytes;
use livius_domain::StatementRecord;
use livius_sessions::{Order, OutputView, Page, SessionError, SessionRef, Sessions, StatementView};
use livius_wire::{StatementEnvelope, statement_list_head, statement_list_tail};

use crate::response::client::ClientOf;
use crate::response::pieces::{PAGE_ITEMS, PIECE_BYTES, Pieces, StreamError, page_of};

/// Statements that are being written.
pub struct StatementStream {
    sessions: ClientOf<Sessions>,
    /// The part of the list that is not read yet.
    rest: Option<Rest>,
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

struct Rest {
    session: SessionRef,
    from: u64,
    size: u64,
    order: Order,
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
        order: Order,
    ) -> Result<Self, SessionError> {
        let (from, size) = page.window();
        let mut rest = Rest {
            session,
            from,
            size,
            order,
        };
        let (total, views) = rest.read(&sessions).await?;
        rest.size = rest.size.min(total.saturating_sub(rest.from));
        let (mut piece, mut tail) = (Vec::new(), Vec::new());
        statement_list_head(total, &mut piece);
        statement_list_tail(&mut tail);
        let (rest, waiting, separator): (_, _, &[u8]) = (Some(rest), views.into(), b"");
        Ok(Self {
            sessions,
            rest,
            waiting,
            long: None,
            separator,
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

    /// Reads the next page. Returns false at the end of the list.
    async fn read_more(&mut self) -> Result<bool, StreamError> {
        let Some(rest) = self.rest.as_mut().filter(|rest| rest.size > 0) else {
            return Ok(false);
        };
        let (_, views) = rest.read(&self.sessions).await?;
        self.waiting.extend(views);
        Ok(!self.waiting.is_empty())
    }
}

impl Rest {
    async fn read(
        &mut self,
        sessions: &ClientOf<Sessions>,
    ) -> Result<(u64, Vec<StatementView>), SessionError> {
        let size = self.size.min(PAGE_ITEMS);
        let page = page_of(self.from, size);
        let (total, views) = sessions
            .acting()
            .statements(&self.session, page, self.order)
            .await?;
        self.from += size;
        self.size -= size;
        Ok((total, views))
    }
}
