//! Sessions, or batches, as the body of an answer, however many there are: a long list is read page by page.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use livius_sessions::{BatchView, Batches, Page, SessionError, SessionView, Sessions};
use livius_wire::{BatchAnswer, SessionAnswer, session_list_head, session_list_tail};

use crate::response::pieces::{PAGE_ITEMS, PIECE_BYTES, Pieces, StreamError, page_of};

/// How many lines of its log a session or a batch shows.
pub const LOG_LINES: usize = 10;

/// How many there are in all, and some of them.
type Found<V> = (u64, Vec<Arc<V>>);

/// What can be listed.
pub trait Listed: Send + Sync + 'static {
    /// One of the list.
    type View: Send + Sync;

    /// How many there are in all, and a page of them.
    fn page(
        &self,
        page: Page,
    ) -> impl Future<Output = Result<Found<Self::View>, SessionError>> + Send;

    /// Appends one to a text.
    fn write(&self, view: &Self::View, text: &mut Vec<u8>);
}

impl Listed for Sessions {
    type View = SessionView;

    async fn page(&self, page: Page) -> Result<Found<SessionView>, SessionError> {
        self.list(page).await
    }

    fn write(&self, view: &SessionView, text: &mut Vec<u8>) {
        let log = self.log_tail(view, LOG_LINES);
        SessionAnswer::new(&view.record, view.busy, &log).write(text);
    }
}

impl Listed for Batches {
    type View = BatchView;

    async fn page(&self, page: Page) -> Result<Found<BatchView>, SessionError> {
        self.list(page).await
    }

    fn write(&self, view: &BatchView, text: &mut Vec<u8>) {
        let log = self.log_tail(view, LOG_LINES);
        BatchAnswer::new(&view.record, &log).write(text);
    }
}

/// A list on its way out.
pub struct ListStream<L: Listed> {
    source: L,
    /// Index of the first that is not yet read, and how many are to be read from there.
    from: u64,
    size: u64,
    /// Read, but not yet written.
    waiting: VecDeque<Arc<L::View>>,
    /// What comes between this one and the one before.
    separator: &'static [u8],
    /// What is written, but not yet sent.
    piece: Vec<u8>,
    ended: bool,
}

impl<L: Listed> Pieces for ListStream<L> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        while !self.ended && self.piece.len() < PIECE_BYTES {
            if let Some(view) = self.waiting.pop_front() {
                self.piece.extend_from_slice(self.separator);
                self.separator = b",";
                self.source.write(&view, &mut self.piece);
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

impl<L: Listed> ListStream<L> {
    /// A page of the list.
    pub async fn new(source: L, page: Page) -> Result<Self, SessionError> {
        let (from, size) = page.window();
        let mut list = Self {
            source,
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

    /// Reads the next ones; answers how many there are in all.
    async fn read(&mut self) -> Result<u64, SessionError> {
        let size = self.size.min(PAGE_ITEMS);
        let page = page_of(self.from, size);
        let (total, views) = self.source.page(page).await?;
        self.from += size;
        self.size -= size;
        self.waiting.extend(views);
        Ok(total)
    }
}
