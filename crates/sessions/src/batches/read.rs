//! Reading: nothing here waits for an actor or a process.

use std::sync::Arc;

use livius_domain::BatchRecord;
use livius_launch::{LogSource, empty_log};
use livius_store::{Found, Part, Search, Start, Window};
use tokio::time::{Instant, timeout_at};

use super::{ActingOnBatches, Batches};
use crate::action::Action;
use crate::changes::{BatchChange, ChangeFeed};
use crate::error::SessionError;
use crate::executors::{self, ExecutorList};
use crate::feed::{Change, Feed};
use crate::keys;
use crate::lifecycle::Lifecycle;
use crate::logbook::{LastLines, Logbook, last_lines};
use crate::view::{BatchRef, BatchView};

impl ActingOnBatches<'_> {
    /// A part of the list of batches, oldest first.
    pub async fn list(
        &self,
        start: Start,
        limit: u64,
    ) -> Result<Part<Arc<BatchView>>, SessionError> {
        let window = Window {
            start,
            limit,
            descending: false,
        };
        let visible = self.core.config.policy.visible(self.caller);
        let part = self.core.store.list_batches(visible, window).await?;
        let (rows, records) = part.split();
        Ok(rows.with(self.views_of(records).await?))
    }

    /// Searches the list of batches. `key` is that of the caller's request that made the one to find.
    pub async fn search(
        &self,
        search: Search<'_>,
        key: Option<&str>,
    ) -> Result<Found<Arc<BatchView>>, SessionError> {
        let caller = keys::scope(self.caller);
        let search = Search {
            key: key.map(|key| (caller.as_str(), key)),
            ..search
        };
        let visible = self.core.config.policy.visible(self.caller);
        let found = self.core.store.search_batches(visible, search).await?;
        Ok(Found {
            total: found.total,
            records: self.views_of(found.records).await?,
            next: found.next,
        })
    }

    async fn views_of(
        &self,
        records: Vec<BatchRecord>,
    ) -> Result<Vec<Arc<BatchView>>, SessionError> {
        let mut views = Vec::with_capacity(records.len());
        for record in records {
            views.push(self.view_of(record).await?);
        }
        Ok(views)
    }

    /// A listed row as it is shown: by its actor, if it has one.
    async fn view_of(&self, record: BatchRecord) -> Result<Arc<BatchView>, SessionError> {
        if let Some(entry) = self.core.registry.find(&BatchRef::Id(record.id)) {
            return Ok(entry.view());
        }
        if record.state.is_ended() {
            return Ok(not_live(record));
        }
        // Its actor has left since the row was read, so its end is stored now.
        let ended = self.core.store.batch(record.id).await?;
        Ok(not_live(ended.unwrap_or(record)))
    }

    /// A batch.
    pub async fn get(&self, which: &BatchRef) -> Result<Arc<BatchView>, SessionError> {
        match self.live(which, Action::Read)? {
            Some(entry) => Ok(entry.view()),
            None => Ok(not_live(self.stored(which, Action::Read).await?)),
        }
    }

    /// A batch when it is as the client wants it, or at the deadline. When the server begins to shut
    /// down, the deadline has come.
    pub async fn get_when(
        &self,
        which: &BatchRef,
        deadline: Instant,
        wanted: impl Fn(&BatchView) -> bool,
    ) -> Result<Arc<BatchView>, SessionError> {
        let feed = match timeout_at(deadline, self.follow(which)).await {
            Ok(feed) => feed?,
            Err(_) => None,
        };
        let Some(feed) = feed else {
            return self.get(which).await;
        };
        let mut looks = feed.looks(deadline, &self.core.lifecycle);
        loop {
            let view = self.get(which).await?;
            if wanted(&view) || view.record.state.is_ended() || !looks.again().await {
                return Ok(view);
            }
        }
    }

    /// Follows the states of all batches that the caller may see.
    pub fn changes(&self) -> ChangeFeed<BatchChange> {
        let core = &self.core;
        ChangeFeed::new(&core.changes, &core.config, &core.lifecycle, self.caller)
    }

    /// Follows a batch for as long as the server serves; `None` when it has ended.
    pub async fn follow_states(&self, which: &BatchRef) -> Result<Option<BatchFeed>, SessionError> {
        let feed = self.follow(which).await?;
        Ok(feed.map(|feed| BatchFeed {
            feed: feed.from_now(),
            lifecycle: self.core.lifecycle.clone(),
        }))
    }

    /// Follows a batch; `None` when it has ended. One that has no actor yet is waited for: a server that
    /// has just started takes up its batches one after the other.
    pub async fn follow(&self, which: &BatchRef) -> Result<Option<Feed<BatchView>>, SessionError> {
        let entry = self.live_or_coming(which, Action::Read).await?;
        Ok(entry.map(|entry| entry.mailbox.feed.clone()))
    }

    /// A batch's log.
    pub async fn log(&self, which: &BatchRef) -> Result<Logbook, SessionError> {
        let view = self.get(which).await?;
        Ok(Logbook::new(view.record.id.0, self.batches.log_of(&view)))
    }

    /// A batch's executors on its cluster.
    pub async fn executors(&self, which: &BatchRef) -> Result<ExecutorList, SessionError> {
        let record = &self.get(which).await?.record;
        executors::of(&*self.core.launcher, record.id.0, record.driver.as_ref()).await
    }

    /// The log of one of a batch's executors.
    pub async fn executor_log(
        &self,
        which: &BatchRef,
        name: &str,
    ) -> Result<Logbook, SessionError> {
        let record = &self.get(which).await?.record;
        let driver = record.driver.as_ref();
        executors::log(&*self.core.launcher, record.id.0, driver, name).await
    }
}

/// A live batch as a reader follows it.
#[derive(Debug)]
pub struct BatchFeed {
    feed: Feed<BatchView>,
    lifecycle: Lifecycle,
}

impl BatchFeed {
    /// The batch as it is now.
    pub fn view(&self) -> Arc<BatchView> {
        self.feed.view()
    }

    /// Waits for a change since the last one.
    pub async fn changed(&mut self) -> Change {
        self.feed.changed_unless_stopping(&self.lifecycle).await
    }
}

impl Batches {
    /// Every batch that has not ended, also deleted ones that are still being stopped. This asks
    /// neither the store nor an actor.
    pub fn live_views(&self) -> Vec<Arc<BatchView>> {
        let views = self
            .core
            .registry
            .all()
            .into_iter()
            .map(|entry| entry.view());
        views.filter(|view| !view.record.state.is_ended()).collect()
    }

    /// The last lines of the logs of batches, in their order.
    pub async fn last_lines(&self, views: &[Arc<BatchView>]) -> Vec<Vec<String>> {
        let source = |view: &Arc<BatchView>| match &view.record.last_lines {
            // Stored when it ended, because its log does not change any more.
            Some(lines) => LastLines::Known(lines.clone()),
            None if view.record.state.is_ended() => {
                LastLines::Log(view.record.id.0, self.log_of(view))
            }
            None => LastLines::of_live(view.record.id.0, self.log_of(view)),
        };
        last_lines(views.iter().map(source).collect()).await
    }

    fn log_of(&self, view: &BatchView) -> Arc<dyn LogSource> {
        let id = view.record.id;
        if let Some(entry) = self.core.registry.find(&BatchRef::Id(id)) {
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
}

/// A batch that has no actor: it has ended, or another server drives it.
fn not_live(record: BatchRecord) -> Arc<BatchView> {
    Arc::new(BatchView { record, step: None })
}
