//! Following a live session: a reader sees it change without asking again and again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use livius_domain::{StatementId, StatementRecord};

use super::ActingOnSessions;
use crate::action::Action;
use crate::changes::{ChangeFeed, SessionChange};
use crate::entry::Entry;
use crate::error::SessionError;
use crate::feed::{Change, Feed};
use crate::lifecycle::Lifecycle;
use crate::live_output::LiveOutput;
use crate::view::{SessionRef, SessionView, StatementView};

/// A live session as a reader follows it: its state, and its unfinished and recent statements. As
/// long as this lives, the client is present.
#[derive(Debug)]
pub struct SessionFeed {
    entry: Arc<Entry>,
    feed: Feed<SessionView>,
    lifecycle: Lifecycle,
}

impl ActingOnSessions<'_> {
    /// Follows a session; `None` when it has ended. One that has no actor yet is waited for.
    pub async fn follow(&self, which: &SessionRef) -> Result<Option<SessionFeed>, SessionError> {
        let Some(entry) = self.live_or_coming(which, Action::Read).await? else {
            return Ok(None);
        };
        entry.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(Some(SessionFeed {
            feed: entry.mailbox.feed.from_now(),
            lifecycle: self.core.lifecycle.clone(),
            entry,
        }))
    }

    /// Follows the states of all sessions that the caller may see.
    pub fn changes(&self) -> ChangeFeed<SessionChange> {
        let core = &self.core;
        ChangeFeed::new(&core.changes, &core.config, &core.lifecycle, self.caller)
    }

    /// What a statement has printed until now, while it runs.
    pub fn printed(
        &self,
        which: &SessionRef,
        statement: StatementId,
    ) -> Result<Option<Arc<LiveOutput>>, SessionError> {
        let entry = self.live(which, Action::Read)?;
        Ok(entry.and_then(|entry| entry.board.live(statement)))
    }
}

impl SessionFeed {
    /// The session as it is now.
    pub fn view(&self) -> Arc<SessionView> {
        self.feed.view()
    }

    /// A statement as it is now, unless it ended long ago: the store has those.
    pub fn statement(&self, id: StatementId) -> Option<StatementView> {
        self.entry.board.get(id)
    }

    /// The unfinished and recent statements with their progress.
    pub fn statements(&self) -> Vec<(StatementRecord, f64)> {
        self.entry.board.states()
    }

    /// What a running statement has printed, and its stages.
    pub fn live(&self, id: StatementId) -> Option<Arc<LiveOutput>> {
        self.entry.board.live(id)
    }

    /// Waits for a change since the last one: of the session's state, of a statement, of its progress
    /// or of what it prints.
    pub async fn changed(&mut self) -> Change {
        self.feed.changed_unless_stopping(&self.lifecycle).await
    }
}

impl Drop for SessionFeed {
    fn drop(&mut self) {
        self.entry.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
