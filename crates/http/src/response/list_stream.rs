//! Streams a list of sessions or batches. A long list is read page by page.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use livius_sessions::{BatchView, Batches, Page, SessionError, SessionView, Sessions};
use livius_wire::{BatchAnswer, SessionAnswer, session_list_head, session_list_tail};

use crate::livy_state::livy_state;
use crate::response::client::ClientOf;
use crate::response::pieces::{PAGE_ITEMS, PIECE_BYTES, Pieces, StreamError, page_of};

/// The number of log lines that a session or a batch shows.
pub const LOG_LINES: usize = 10;

/// The number of all items, and some of the items.
type Found<V> = (u64, Vec<Arc<V>>);

/// A collection that can be listed.
pub trait Listed: Send + Sync + 'static {
    /// An item of the list.
    type View: Send + Sync;

    /// Returns the number of all items, and a page of them.
    fn page(
        &self,
        page: Page,
    ) -> impl Future<Output = Result<Found<Self::View>, SessionError>> + Send;

    /// Appends an item to a text.
    fn write(&self, view: &Self::View, text: &mut Vec<u8>);
}

impl Listed for ClientOf<Sessions> {
    type View = SessionView;

    async fn page(&self, page: Page) -> Result<Found<SessionView>, SessionError> {
        self.acting().list(page).await
    }

    fn write(&self, view: &SessionView, text: &mut Vec<u8>) {
        let log = self.service.log_tail(view, LOG_LINES);
        SessionAnswer::new(&view.record, livy_state(view), &log).write(text);
    }
}

impl Listed for ClientOf<Batches> {
    type View = BatchView;

    async fn page(&self, page: Page) -> Result<Found<BatchView>, SessionError> {
        self.acting().list(page).await
    }

    fn write(&self, view: &BatchView, text: &mut Vec<u8>) {
        let log = self.service.log_tail(view, LOG_LINES);
        BatchAnswer::new(&view.record, &log).write(text);
    }
}

/// A list that is being written.
pub struct ListStream<L: Listed> {
    source: L,
    /// The index of the next item to read, and how many items to read from there.
    from: u64,
    size: u64,
    /// Items that are read but not written yet.
    waiting: VecDeque<Arc<L::View>>,
    /// The separator before the next item.
    separator: &'static [u8],
    /// Bytes that are written but not sent yet.
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
    /// Starts with the first items of a page.
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

    /// Reads the next items, and returns the number of all items.
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
