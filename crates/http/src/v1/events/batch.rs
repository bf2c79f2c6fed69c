//! The events of one batch.

use std::sync::Arc;

use axum::response::sse::Event;
use livius_domain::chain;
use livius_sessions::{BatchFeed, BatchRef, BatchView, Batches, Change, SessionError};
use livius_wire::StatusEntryAnswer;

use crate::response::client::ClientOf;
use crate::response::event_stream::{END, Events, event};

/// A client that follows a batch.
pub struct BatchEvents {
    client: ClientOf<Batches>,
    batch: BatchRef,
    /// `None` when the batch has ended.
    feed: Option<BatchFeed>,
    told: Option<Arc<BatchView>>,
    number: u64,
}

impl BatchEvents {
    /// Begins to follow a batch.
    pub async fn begin(client: ClientOf<Batches>, batch: BatchRef) -> Result<Self, SessionError> {
        let feed = client.acting().follow_states(&batch).await?;
        Ok(Self {
            client,
            batch,
            feed,
            told: None,
            number: 0,
        })
    }

    async fn look(&mut self) -> Result<Vec<Event>, SessionError> {
        let view = match &self.feed {
            Some(feed) => feed.view(),
            None => self.client.acting().get(&self.batch).await?,
        };
        let is_over = self.feed.is_none();
        if !is_over && self.told.as_ref().is_some_and(|told| told.is_alike(&view)) {
            return Ok(Vec::new());
        }
        self.number += 1;
        let record = &view.record;
        let answer = StatusEntryAnswer::of_batch(record.id.0, &record.state, record.app.as_ref());
        let told = if is_over {
            event(END, "end", &answer)
        } else {
            event(&self.number.to_string(), "batch", &answer)
        };
        self.told = Some(view);
        Ok(vec![told])
    }
}

impl Events for BatchEvents {
    async fn next(&mut self) -> Option<Vec<Event>> {
        if self.told.is_some() {
            match self.feed.as_mut()?.changed().await {
                Change::Changed => {}
                Change::Stopping => return None,
                Change::Ended => self.feed = None,
            }
        }
        let looked = self.look().await.inspect_err(|error| {
            tracing::warn!(error = %chain(error), "a stream of events broke off");
        });
        looked.ok()
    }
}
