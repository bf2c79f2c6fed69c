//! The log of a session or a batch, as a reader keeps it.

use std::sync::Arc;
use std::time::Duration;

use livius_launch::{Grown, LogNews, LogPlace, LogSource};

use crate::error::SessionError;
use crate::view::LogPage;

/// A handle to a log. It stays readable even if the session or batch is purged.
#[derive(Debug, Clone)]
pub struct Logbook {
    id: i32,
    log: Arc<dyn LogSource>,
}

impl Logbook {
    pub(crate) fn new(id: i32, log: Arc<dyn LogSource>) -> Self {
        Self { id, log }
    }

    /// Reads a page. A negative `size` means all lines, a negative `from` the last `size` of them.
    pub async fn page(&self, from: i64, size: i64) -> Result<LogPage, SessionError> {
        let page = self.log.page(from, size).await;
        let page = page.map_err(SessionError::Log)?;
        Ok(LogPage {
            id: self.id,
            from: page.from,
            total: page.total,
            lines: page.lines,
        })
    }
}

/// A reader that follows a log while it grows.
#[derive(Debug)]
pub struct LogFollower {
    log: Arc<dyn LogSource>,
    place: LogPlace,
    growth: Option<Grown>,
}

/// The most lines that a follower reads at once.
const MOST_NEWS: u64 = 500;

/// How often a follower looks at a log although nothing tells that it has grown: logs on clusters
/// come when somebody looks.
const LOOK: Duration = Duration::from_secs(2);

/// The same for a log of which nothing ever tells.
const BLIND_LOOK: Duration = Duration::from_millis(500);

impl Logbook {
    /// Follows the log behind a place.
    pub fn follow(&self, place: LogPlace) -> LogFollower {
        LogFollower {
            log: Arc::clone(&self.log),
            place,
            // It is there before the first look, so that no line is missed in between.
            growth: self.log.growth(),
        }
    }

    /// The place before the last lines.
    pub async fn before_last(&self, lines: u64) -> Result<LogPlace, SessionError> {
        let place = self.log.before_last(lines).await;
        place.map_err(SessionError::Log)
    }
}

impl LogFollower {
    /// Reads the lines that are new. Of a log that is over, the last line need not have ended.
    pub async fn read(&mut self, is_over: bool) -> Result<LogNews, SessionError> {
        let news = self.log.past(self.place, MOST_NEWS, is_over).await;
        let news = news.map_err(SessionError::Log)?;
        self.place = news.place;
        Ok(news)
    }

    /// Waits until the log has probably grown.
    pub async fn grown(&mut self) {
        match &mut self.growth {
            Some(growth) => {
                let _ = tokio::time::timeout(LOOK, growth.wait()).await;
            }
            None => tokio::time::sleep(BLIND_LOOK).await,
        }
    }
}

/// The number of lines of a log that lists show.
const SHOWN_LINES: usize = 10;
/// The longest text that is stored as the last lines of a log. Longer ones are rare, and lists read
/// them from the log.
const STORED_BYTES: usize = 16 << 10;

/// The source of the last lines of the log of a session or batch.
pub(crate) enum LastLines {
    /// They are known.
    Known(Vec<String>),
    /// They are read from the log of the session or batch with this number.
    Log(i32, Arc<dyn LogSource>),
}

impl LastLines {
    /// The lines of a session or batch that has not ended. Its log may grow at any time, so lines
    /// that another reader saw a moment ago are as good.
    pub(crate) fn of_live(id: i32, log: Arc<dyn LogSource>) -> Self {
        match log.recent_tail(SHOWN_LINES) {
            Some(lines) => Self::Known(lines),
            None => Self::Log(id, log),
        }
    }

    fn read(self) -> Vec<String> {
        match self {
            Self::Known(lines) => lines,
            Self::Log(id, log) => tail(id, &*log).unwrap_or_default(),
        }
    }
}

/// Collects the last lines of logs. All logs are read by one thread that may wait for the disk. A
/// log that cannot be read is empty here, and the server's log says why.
pub(crate) async fn last_lines(sources: Vec<LastLines>) -> Vec<Vec<String>> {
    let is_known = |source: &LastLines| matches!(source, LastLines::Known(_));
    let all_are_known = sources.iter().all(is_known);
    let read = move || sources.into_iter().map(LastLines::read).collect();
    if all_are_known {
        return read();
    }
    blocking(read).await.unwrap_or_default()
}

/// The last lines of a log, to be stored with the end. `None` when they cannot be read, or are too
/// long.
pub(crate) async fn lines_to_store(id: i32, log: Arc<dyn LogSource>) -> Option<Vec<String>> {
    let lines = blocking(move || tail(id, &*log)).await??;
    let bytes: usize = lines.iter().map(String::len).sum();
    (bytes <= STORED_BYTES).then_some(lines)
}

fn tail(id: i32, log: &dyn LogSource) -> Option<Vec<String>> {
    log.tail(SHOWN_LINES)
        .inspect_err(
            |error| tracing::warn!(id, %error, "cannot read the log of a session or batch"),
        )
        .ok()
}

async fn blocking<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(read)
        .await
        .inspect_err(|error| tracing::error!(%error, "reading logs broke off"))
        .ok()
}
