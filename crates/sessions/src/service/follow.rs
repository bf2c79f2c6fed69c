//! Following a live session: a reader sees it change without asking again and again.

use std::sync::Arc;

use livius_domain::StatementId;
use tokio::time::Instant;

use super::ActingOnSessions;
use crate::action::Action;
use crate::board::Board;
use crate::error::SessionError;
use crate::feed::Feed;
use crate::view::{SessionRef, SessionView, StatementView};

/// A live session as a reader follows it: its state, and its unfinished and recent statements.
#[derive(Debug, Clone)]
pub struct SessionFeed {
    feed: Feed<SessionView>,
    board: Arc<Board>,
}

impl ActingOnSessions<'_> {
    /// Follows a session; `None` when it has ended.
    pub async fn follow(&self, which: &SessionRef) -> Result<Option<SessionFeed>, SessionError> {
        let Some(entry) = self.live(which, Action::Read)? else {
            self.stored(which, Action::Read).await?;
            return Ok(None);
        };
        Ok(Some(SessionFeed {
            feed: entry.mailbox.feed.clone(),
            board: Arc::clone(&entry.board),
        }))
    }
}

impl SessionFeed {
    /// The version of the published view. A reader takes it before it looks.
    pub fn version(&self) -> u64 {
        self.feed.version()
    }

    /// The session as it is now.
    pub fn view(&self) -> Arc<SessionView> {
        self.feed.view()
    }

    /// A statement as it is now, unless it ended long ago: the store has those.
    pub fn statement(&self, id: StatementId) -> Option<StatementView> {
        self.board.get(id)
    }

    /// Waits for a change past that version: of the session's state, of a statement or of its
    /// progress. Returns the new version, or `None` when there is none by the deadline or the
    /// session has ended.
    pub async fn wait_past(&self, version: u64, deadline: Instant) -> Option<u64> {
        self.feed.wait_past(version, deadline).await
    }
}
