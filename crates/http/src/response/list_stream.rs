//! Streams a list of sessions or batches. A long list is read page by page.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use livius_sessions::{BatchView, Batches, Part, SessionError, SessionView, Sessions, Window};
use livius_wire::{BatchAnswer, SessionAnswer, session_list_head, session_list_tail};

use crate::livy_state::livy_state;
use crate::request::page::Page;
use crate::response::client::ClientOf;
use crate::response::pieces::{PIECE_BYTES, Pieces, Rest, StreamError};

/// A collection that can be listed.
pub trait Listed: Send + Sync + 'static {
    /// An item of the list.
    type View: Send + Sync;

    /// Reads a part of the list.
    fn part(
        &self,
        window: Window,
    ) -> impl Future<Output = Result<Part<Arc<Self::View>>, SessionError>> + Send;

    /// Reads the last lines of the items' logs.
    fn logs(&self, views: &[Arc<Self::View>]) -> impl Future<Output = Vec<Vec<String>>> + Send;

    /// Appends an item to a text.
    fn write(view: &Self::View, log: &[String], text: &mut Vec<u8>);
}

impl Listed for ClientOf<Sessions> {
    type View = SessionView;

    async fn part(&self, window: Window) -> Result<Part<Arc<SessionView>>, SessionError> {
        self.acting().list(window.start, window.limit).await
    }

    async fn logs(&self, views: &[Arc<SessionView>]) -> Vec<Vec<String>> {
        self.service.last_lines(views).await
    }

    fn write(view: &SessionView, log: &[String], text: &mut Vec<u8>) {
        SessionAnswer::new(&view.record, livy_state(view), log).write(text);
    }
}

impl Listed for ClientOf<Batches> {
    type View = BatchView;

    async fn part(&self, window: Window) -> Result<Part<Arc<BatchView>>, SessionError> {
        self.acting().list(window.start, window.limit).await
    }

    async fn logs(&self, views: &[Arc<BatchView>]) -> Vec<Vec<String>> {
        self.service.last_lines(views).await
    }

    fn write(view: &BatchView, log: &[String], text: &mut Vec<u8>) {
        BatchAnswer::new(&view.record, log).write(text);
    }
}

/// A list that is being written.
pub struct ListStream<L: Listed> {
    source: L,
    /// The part of the page that is not read yet.
    rest: Rest,
    /// Items that are read but not written yet, with the last lines of their logs.
    waiting: VecDeque<(Arc<L::View>, Vec<String>)>,
    /// The separator before the next item.
    separator: &'static [u8],
    /// Bytes that are written but not sent yet.
    piece: Vec<u8>,
    ended: bool,
}

impl<L: Listed> Pieces for ListStream<L> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        while !self.ended && self.piece.len() < PIECE_BYTES {
            if let Some((view, log)) = self.waiting.pop_front() {
                self.piece.extend_from_slice(self.separator);
                self.separator = b",";
                L::write(&view, &log, &mut self.piece);
            } else if self.rest.is_empty() {
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
        let mut list = Self {
            source,
            rest: Rest::new(page, false),
            waiting: VecDeque::new(),
            separator: b"",
            piece: Vec::new(),
            ended: false,
        };
        let total = list.read().await?.unwrap_or_default();
        session_list_head(page.from, total, &mut list.piece);
        Ok(list)
    }

    /// Reads the next items. Returns the number of all items, if these are the first.
    async fn read(&mut self) -> Result<Option<u64>, SessionError> {
        let part = self.source.part(self.rest.window()).await?;
        self.rest.advance(&part);
        let mut logs = self.source.logs(&part.records).await;
        logs.resize_with(part.records.len(), Vec::new);
        self.waiting.extend(part.records.into_iter().zip(logs));
        Ok(part.total)
    }
}
