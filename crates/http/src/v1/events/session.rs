//! The events of one session.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::sse::Event;
use livius_domain::{StatementId, StatementState, chain};
use livius_sessions::{Change, SessionError, SessionFeed, SessionRef, SessionView, Sessions};
use livius_wire::{StatementEventAnswer, StatusEntryAnswer};

use crate::livy_state::livy_state;
use crate::response::client::ClientOf;
use crate::response::event_stream::{END, Events, event};

/// A client that follows a session.
pub struct SessionEvents {
    client: ClientOf<Sessions>,
    session: SessionRef,
    /// `None` when the session has ended.
    feed: Option<SessionFeed>,
    told: Option<Arc<SessionView>>,
    /// The unfinished and recent statements, as the client knows them.
    statements: BTreeMap<StatementId, (StatementState, f64)>,
    number: u64,
    is_first: bool,
}

impl SessionEvents {
    /// Begins to follow a session.
    pub async fn begin(
        client: ClientOf<Sessions>,
        session: SessionRef,
    ) -> Result<Self, SessionError> {
        let feed = client.acting().follow(&session).await?;
        Ok(Self {
            client,
            session,
            feed,
            told: None,
            statements: BTreeMap::new(),
            number: 0,
            is_first: true,
        })
    }

    async fn look(&mut self) -> Result<Vec<Event>, SessionError> {
        let mut events = Vec::new();
        // The statements first: a session that is idle has no unfinished statement.
        self.tell_statements(&mut events).await?;
        let view = match &self.feed {
            Some(feed) => feed.view(),
            None => self.client.acting().get(&self.session).await?,
        };
        let is_over = self.feed.is_none();
        if is_over || !self.told.as_ref().is_some_and(|told| told.is_alike(&view)) {
            events.push(self.session_event(&view, is_over));
            self.told = Some(view);
        }
        Ok(events)
    }

    fn session_event(&mut self, view: &SessionView, is_over: bool) -> Event {
        let record = &view.record;
        let app = record.app.as_ref();
        let answer =
            StatusEntryAnswer::of_session(record.id.0, &record.state, livy_state(view), app);
        if is_over {
            return event(END, "end", &answer);
        }
        event(&self.next_id(), "session", &answer)
    }

    async fn tell_statements(&mut self, events: &mut Vec<Event>) -> Result<(), SessionError> {
        let shown = self.feed.as_ref().map(SessionFeed::statements);
        let shown = shown.unwrap_or_default();
        let mut known = std::mem::take(&mut self.statements);
        for (record, progress) in shown {
            let now = (record.state, progress);
            let before = known.remove(&record.id);
            self.statements.insert(record.id, now);
            if before != Some(now) {
                let stages = self.feed.as_ref().and_then(|feed| feed.live(record.id));
                let stages = stages.map(|live| live.stages());
                let stages = stages.as_deref().unwrap_or_default();
                let answer = StatementEventAnswer::new(&record, progress, stages);
                events.push(event(&self.next_id(), "statement", &answer));
            }
        }
        // Those that have ended, and are shown no more: the store has them.
        for (id, (state, _)) in known {
            if state.is_final() {
                continue;
            }
            let view = self.client.acting().statement(&self.session, id).await?;
            let answer = StatementEventAnswer::new(&view.record, view.progress, &[]);
            events.push(event(&self.next_id(), "statement", &answer));
        }
        Ok(())
    }

    fn next_id(&mut self) -> String {
        self.number += 1;
        self.number.to_string()
    }
}

impl Events for SessionEvents {
    async fn next(&mut self) -> Option<Vec<Event>> {
        if self.is_first {
            self.is_first = false;
        } else {
            match self.feed.as_mut()?.changed().await {
                Change::Changed => {}
                Change::Stopping => return None,
                Change::Ended => self.feed = None,
            }
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
