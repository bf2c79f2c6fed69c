//! Sessions as the body of an answer, however many there are: a long list is read page by page.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use sessions::{Page, SessionError, SessionView, Sessions};
use wire::{SessionAnswer, session_list_head, session_list_tail};

use crate::stream::{PAGE_ITEMS, PIECE_BYTES, Pieces, StreamError, page_of};

/// How many lines of its log a session shows.
pub const LOG_LINES: usize = 10;

/// A list of sessions on its way out.
pub struct SessionStream {
    sessions: Sessions,
    /// Index of the first that is not yet read, and how many are to be read from there.
    from: u64,
    size: u64,
    /// Read, but not yet written.
    waiting: VecDeque<Arc<SessionView>>,
    /// What comes between this session and the one before.
    separator: &'static [u8],
    /// What is written, but not yet sent.
    piece: Vec<u8>,
    ended: bool,
}

impl Pieces for SessionStream {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        while !self.ended && self.piece.len() < PIECE_BYTES {
            if let Some(view) = self.waiting.pop_front() {
                self.write(&view);
            } else if self.size == 0 {
                session_list_tail(&mut self.piece);
                self.ended = true;
            } else {
                self.read().await?;
            }
        }
        let piece = std::mem::take(&mut self.piece);
        Ok((!piece.is_empty()).then(|| Bytes::from(piece)))
    }

    fn has_ended(&self) -> bool {
        self.ended
    }
}

impl SessionStream {
    /// A page of the sessions.
    pub async fn list(sessions: Sessions, page: Page) -> Result<Self, SessionError> {
        let (from, size) = page.window();
        let mut list = Self {
            sessions,
            from,
            size,
            waiting: VecDeque::new(),
            separator: b"",
            piece: Vec::new(),
            ended: false,
        };
        let total = list.read().await?;
        list.size = list.size.min(total.saturating_sub(list.from));
        session_list_head(page.from, total, &mut list.piece);
        Ok(list)
    }

    /// Reads the next sessions; answers how many there are in all.
    async fn read(&mut self) -> Result<u64, SessionError> {
        let size = self.size.min(PAGE_ITEMS);
        let page = page_of(self.from, size);
        let (total, views) = self.sessions.list(page).await?;
        self.from += size;
        self.size -= size;
        self.waiting.extend(views);
        Ok(total)
    }

    fn write(&mut self, view: &SessionView) {
        self.piece.extend_from_slice(self.separator);
        self.separator = b",";
        let log = self.sessions.log_tail(view, LOG_LINES);
        SessionAnswer::new(&view.record, view.livy_state(), &log).write(&mut self.piece);
    }
}
