//! The events of all sessions and batches that a client may see.

use axum::response::sse::Event;
use livius_sessions::{BatchChange, Change, ChangeFeed, SessionChange};
use livius_wire::{GoneAnswer, StatusEntryAnswer, livy};
use serde_json::json;

use super::bad_id;
use crate::response::event_stream::{Events, event};
use crate::v1::Problem;

/// A client that follows all of them.
pub struct AllEvents {
    sessions: ChangeFeed<SessionChange>,
    batches: ChangeFeed<BatchChange>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The client has had no event.
    First,
    /// There may be changes since the client's last event.
    Resumed,
    Waiting,
}

impl AllEvents {
    /// Follows from now on, or from the client's last event.
    pub fn begin(
        mut sessions: ChangeFeed<SessionChange>,
        mut batches: ChangeFeed<BatchChange>,
        last: Option<&str>,
    ) -> Result<Self, Problem> {
        let stage = match last {
            None => Stage::First,
            Some(id) => {
                let (session, batch) = parsed(id).ok_or_else(|| bad_id(id))?;
                sessions.resume(session);
                batches.resume(batch);
                Stage::Resumed
            }
        };
        Ok(Self {
            sessions,
            batches,
            stage,
        })
    }

    /// `<number of the last change of a session>-<of a batch>`.
    fn id(&self) -> String {
        format!("{}-{}", self.sessions.seen(), self.batches.seen())
    }

    fn read(&mut self) -> Vec<Event> {
        let batches_seen = self.batches.seen();
        let (sessions, batches) = (self.sessions.read(), self.batches.read());
        let (Some(sessions), Some(batches)) = (sessions, batches) else {
            return vec![event(&self.id(), "missed", &json!({}))];
        };
        let of_sessions = sessions
            .iter()
            .map(|(number, change)| told_session(&format!("{number}-{batches_seen}"), change));
        let sessions_seen = self.sessions.seen();
        let of_batches = batches
            .iter()
            .map(|(number, change)| told_batch(&format!("{sessions_seen}-{number}"), change));
        of_sessions.chain(of_batches).collect()
    }
}

fn parsed(id: &str) -> Option<(u64, u64)> {
    let (session, batch) = id.split_once('-')?;
    Some((session.parse().ok()?, batch.parse().ok()?))
}

fn told_session(number: &str, (id, status): &SessionChange) -> Event {
    match status {
        Some(status) => {
            let shown = livy::SessionState::of(&status.state, status.busy, status.recovering);
            let app = status.app.as_ref();
            let answer = StatusEntryAnswer::of_session(id.0, &status.state, shown, app);
            event(number, "session", &answer)
        }
        None => gone(number, "session", id.0),
    }
}

fn told_batch(number: &str, (id, status): &BatchChange) -> Event {
    match status {
        Some(status) => {
            let answer = StatusEntryAnswer::of_batch(id.0, &status.state, status.app.as_ref());
            event(number, "batch", &answer)
        }
        None => gone(number, "batch", id.0),
    }
}

fn gone(number: &str, kind: &'static str, id: i32) -> Event {
    event(number, "gone", &GoneAnswer { kind, id })
}

impl Events for AllEvents {
    async fn next(&mut self) -> Option<Vec<Event>> {
        match std::mem::replace(&mut self.stage, Stage::Waiting) {
            Stage::First => return Some(vec![event(&self.id(), "begin", &json!({}))]),
            Stage::Resumed => {}
            Stage::Waiting => {
                let change = tokio::select! {
                    change = self.sessions.changed() => change,
                    change = self.batches.changed() => change,
                };
                if change != Change::Changed {
                    return None;
                }
            }
        }
        Some(self.read())
    }
}
