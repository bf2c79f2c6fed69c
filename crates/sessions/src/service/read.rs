//! Reading: nothing here waits for an actor or a driver.

use std::sync::Arc;

use livius_domain::{SessionId, SessionRecord, StatementId};
use livius_launch::{LogSource, empty_log};
use livius_store::{Found, Part, PiecesOf, Search, Start, StoredStatement, Visible, Window};

use super::{ActingOnSessions, Sessions};
use crate::action::Action;
use crate::board::{Board, output_view};
use crate::error::SessionError;
use crate::executors::{self, ExecutorList};
use crate::keys;
use crate::logbook::{LastLines, Logbook, last_lines};
use crate::view::{SessionRef, SessionView, StatementView};

impl ActingOnSessions<'_> {
    /// A part of the list of sessions, oldest first.
    pub async fn list(
        &self,
        start: Start,
        limit: u64,
    ) -> Result<Part<Arc<SessionView>>, SessionError> {
        let window = Window {
            start,
            limit,
            descending: false,
        };
        let visible = self.core.config.policy.visible(self.caller);
        let part = self.core.store.list_sessions(visible, window).await?;
        let (rows, records) = part.split();
        Ok(rows.with(self.views_of(records).await?))
    }

    /// Searches the list of sessions. `key` is that of the caller's request that made the one to find.
    pub async fn search(
        &self,
        search: Search<'_>,
        key: Option<&str>,
    ) -> Result<Found<Arc<SessionView>>, SessionError> {
        let caller = keys::scope(self.caller);
        let search = Search {
            key: key.map(|key| (caller.as_str(), key)),
            ..search
        };
        let visible = self.core.config.policy.visible(self.caller);
        let found = self.core.store.search_sessions(visible, search).await?;
        Ok(Found {
            total: found.total,
            records: self.views_of(found.records).await?,
            next: found.next,
        })
    }

    async fn views_of(
        &self,
        records: Vec<SessionRecord>,
    ) -> Result<Vec<Arc<SessionView>>, SessionError> {
        let mut views = Vec::with_capacity(records.len());
        for record in records {
            views.push(self.view_of(record).await?);
        }
        Ok(views)
    }

    /// A listed row as it is shown: by its actor, if it has one.
    async fn view_of(&self, record: SessionRecord) -> Result<Arc<SessionView>, SessionError> {
        if let Some(entry) = self.core.registry.find(&SessionRef::Id(record.id)) {
            return Ok(entry.view());
        }
        if record.state.is_ended() {
            return Ok(ended_view(record));
        }
        // Its actor has left since the row was read, so its end is stored now.
        let ended = self.core.store.session(record.id).await?;
        Ok(ended_view(ended.unwrap_or(record)))
    }

    /// A session.
    pub async fn get(&self, which: &SessionRef) -> Result<Arc<SessionView>, SessionError> {
        match self.live(which, Action::Read)? {
            Some(entry) => Ok(entry.view()),
            None => Ok(ended_view(self.stored(which, Action::Read).await?)),
        }
    }

    /// A session's log.
    pub async fn log(&self, which: &SessionRef) -> Result<Logbook, SessionError> {
        let view = self.get(which).await?;
        Ok(Logbook::new(view.record.id.0, self.sessions.log_of(&view)))
    }

    /// A session's executors on its cluster.
    pub async fn executors(&self, which: &SessionRef) -> Result<ExecutorList, SessionError> {
        let record = &self.get(which).await?.record;
        executors::of(&*self.core.launcher, record.id.0, record.driver.as_ref()).await
    }

    /// The log of one of a session's executors.
    pub async fn executor_log(
        &self,
        which: &SessionRef,
        name: &str,
    ) -> Result<Logbook, SessionError> {
        let record = &self.get(which).await?.record;
        let driver = record.driver.as_ref();
        executors::log(&*self.core.launcher, record.id.0, driver, name).await
    }

    /// A part of the list of a session's statements.
    pub async fn statements(
        &self,
        which: &SessionRef,
        window: Window,
    ) -> Result<Part<StatementView>, SessionError> {
        let (id, board) = self.id_and_board(which).await?;
        let part = self.core.store.list_statements(id, window).await?;
        Ok(part.map(|row| shown(board.as_deref(), row)))
    }

    /// One statement.
    pub async fn statement(
        &self,
        which: &SessionRef,
        statement: StatementId,
    ) -> Result<StatementView, SessionError> {
        let (id, board) = self.id_and_board(which).await?;
        if let Some(view) = board.and_then(|board| board.get(statement)) {
            return Ok(view);
        }
        let stored = self
            .core
            .store
            .statement(id, statement)
            .await?
            .ok_or(SessionError::StatementNotFound)?;
        Ok(shown(None, stored))
    }

    async fn id_and_board(
        &self,
        which: &SessionRef,
    ) -> Result<(SessionId, Option<Arc<Board>>), SessionError> {
        match self.live(which, Action::Read)? {
            Some(entry) => Ok((entry.id, Some(Arc::clone(&entry.board)))),
            None => Ok((self.stored(which, Action::Read).await?.id, None)),
        }
    }
}

impl Sessions {
    /// Every session that has not ended, also deleted ones that are still being stopped. This asks
    /// neither the store nor an actor.
    pub fn live_views(&self) -> Vec<Arc<SessionView>> {
        let views = self
            .core
            .registry
            .all()
            .into_iter()
            .map(|entry| entry.view());
        views.filter(|view| !view.record.state.is_ended()).collect()
    }

    /// The last lines of the logs of sessions, in their order.
    pub async fn last_lines(&self, views: &[Arc<SessionView>]) -> Vec<Vec<String>> {
        let source = |view: &Arc<SessionView>| match &view.record.last_lines {
            // Stored when it ended, because its log does not change any more.
            Some(lines) => LastLines::Known(lines.clone()),
            None if view.record.state.is_ended() => {
                LastLines::Log(view.record.id.0, self.log_of(view))
            }
            None => LastLines::of_live(view.record.id.0, self.log_of(view)),
        };
        last_lines(views.iter().map(source).collect()).await
    }

    /// A piece of the long output of a statement that the caller was shown.
    pub async fn output_chunk(
        &self,
        session: SessionId,
        statement: StatementId,
        index: u32,
    ) -> Result<Option<String>, SessionError> {
        let of = PiecesOf::Statement(session, statement);
        Ok(self.core.store.piece(of, index).await?)
    }

    fn log_of(&self, view: &SessionView) -> Arc<dyn LogSource> {
        let id = view.record.id;
        if let Some(entry) = self.core.registry.find(&SessionRef::Id(id)) {
            return Arc::clone(&entry.driver.log);
        }
        match &view.record.driver {
            Some(driver) => {
                let open = || self.core.launcher.files(driver).log();
                self.core.ended_logs.get(id, open)
            }
            None => empty_log(),
        }
    }

    /// Fails when the store does not answer.
    pub async fn check_store(&self) -> Result<(), SessionError> {
        let nothing = Window {
            start: Start::Offset(0),
            limit: 0,
            descending: false,
        };
        self.core.store.list_sessions(Visible::All, nothing).await?;
        Ok(())
    }
}

fn ended_view(record: SessionRecord) -> Arc<SessionView> {
    Arc::new(SessionView {
        record,
        busy: false,
        recovering: false,
    })
}

/// A stored statement, with its newest progress from the board.
fn shown(board: Option<&Board>, stored: StoredStatement) -> StatementView {
    if let Some(view) = board.and_then(|board| board.get(stored.record.id)) {
        return view;
    }
    let progress = if stored.record.state.is_final() {
        1.0
    } else {
        0.0
    };
    StatementView {
        record: stored.record,
        output: output_view(stored.output),
        progress,
    }
}
