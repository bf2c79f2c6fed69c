//! The events of one statement.

use std::sync::Arc;

use axum::response::sse::Event;
use livius_domain::{StageProgress, StatementId, chain};
use livius_sessions::{
    Change, LiveOutput, OutputView, Place, SessionError, SessionFeed, SessionRef, Sessions,
    StatementView,
};
use livius_wire::{OutputEventAnswer, StatementEndAnswer, StatementEventAnswer};
use serde_json::value::RawValue;

use crate::response::client::ClientOf;
use crate::response::event_stream::{END, Events, event};

/// A client that follows a statement.
pub struct StatementEvents {
    client: ClientOf<Sessions>,
    session: SessionRef,
    statement: StatementId,
    /// `None` when the session has ended.
    feed: Option<SessionFeed>,
    /// What the statement prints. It is kept here, so that its last text is read after its end.
    live: Option<Arc<LiveOutput>>,
    read: Place,
    told: Option<StatementEventAnswer>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    Later,
    Over,
}

impl StatementEvents {
    /// Begins to follow a statement behind what the client has read.
    pub async fn begin(
        client: ClientOf<Sessions>,
        session: SessionRef,
        statement: StatementId,
        read: Place,
    ) -> Result<Self, SessionError> {
        let feed = client.acting().follow(&session).await?;
        client.acting().statement(&session, statement).await?;
        Ok(Self {
            client,
            session,
            statement,
            feed,
            live: None,
            read,
            told: None,
            stage: Stage::First,
        })
    }

    /// Looks at the statement, and tells what the client does not know yet.
    async fn look(&mut self) -> Result<Vec<Event>, SessionError> {
        if let Some(feed) = &self.feed
            && let Some(live) = feed.live(self.statement)
        {
            self.live = Some(live);
        }
        // The text is read after the state: the last text comes before the end.
        let view = self.view().await?;
        let mut events = Vec::new();
        if view.record.state.is_final() {
            self.tell_output(&mut events);
            events.push(end(&view));
            self.stage = Stage::Over;
        } else {
            self.tell_state(&view, &mut events);
            self.tell_output(&mut events);
        }
        Ok(events)
    }

    async fn view(&self) -> Result<StatementView, SessionError> {
        let shown = self.feed.as_ref();
        if let Some(view) = shown.and_then(|feed| feed.statement(self.statement)) {
            return Ok(view);
        }
        let sessions = self.client.acting();
        sessions.statement(&self.session, self.statement).await
    }

    fn tell_state(&mut self, view: &StatementView, events: &mut Vec<Event>) {
        let stages = self.live.as_ref().map(|live| live.stages());
        let now = StatementEventAnswer::new(
            &view.record,
            view.progress,
            stages.as_deref().unwrap_or_default(),
        );
        if self.told.as_ref() != Some(&now) {
            events.push(event(&self.read.to_string(), "statement", &now));
            self.told = Some(now);
        }
    }

    fn tell_output(&mut self, events: &mut Vec<Event>) {
        let Some(live) = &self.live else { return };
        for (missing, piece) in live.past(&mut self.read) {
            let answer = OutputEventAnswer {
                stream: piece.stream,
                text: &piece.text,
                missing,
            };
            events.push(event(&self.read.to_string(), "output", &answer));
        }
    }
}

fn end(view: &StatementView) -> Event {
    let no_stages: &[StageProgress] = &[];
    let (output, output_bytes) = match &view.output {
        OutputView::None => (None, None),
        OutputView::Inline(text) => (serde_json::from_str::<&RawValue>(text).ok(), None),
        OutputView::Chunked { bytes, .. } => (None, Some(*bytes)),
    };
    let answer = StatementEndAnswer {
        statement: StatementEventAnswer::new(&view.record, view.progress, no_stages),
        output,
        output_bytes,
    };
    event(END, "end", &answer)
}

impl Events for StatementEvents {
    async fn next(&mut self) -> Option<Vec<Event>> {
        match self.stage {
            Stage::First => self.stage = Stage::Later,
            Stage::Over => return None,
            Stage::Later => match self.feed.as_mut()?.changed().await {
                Change::Changed => {}
                Change::Stopping => return None,
                // The store has what is left to say. A client that needs more connects again.
                Change::Ended => self.feed = None,
            },
        }
        match self.look().await {
            Ok(events) => Some(events),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "a stream of events broke off");
                None
            }
        }
    }
}
