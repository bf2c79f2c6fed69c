//! The log of an executor, as clients read it.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;

use crate::growth::Grown;
use crate::log::{DriverLog, MirroredFiles};
use crate::yarn::Mirror;
use crate::{LogLines, LogNews, LogPlace, LogSource};

/// The files with a kept log. Those of a container on YARN are brought up to date before each page.
#[derive(Debug)]
pub(crate) struct ExecutorLog {
    name: String,
    log: Arc<DriverLog>,
    mirror: Option<Arc<Mirror>>,
}

impl ExecutorLog {
    pub(crate) fn new(files: MirroredFiles, name: &str, mirror: Option<Arc<Mirror>>) -> Self {
        Self {
            name: name.to_owned(),
            log: Arc::new(DriverLog::new(files.stdout, files.stderr)),
            mirror,
        }
    }

    /// A line for the client while YARN has given no output of this executor. It says why.
    fn excuse(&self) -> Option<String> {
        let problem = self.mirror.as_ref()?.problem()?;
        let name = &self.name;
        Some(format!(
            "livius: cannot read the log of {name} now: {problem}"
        ))
    }
}

/// The lines of a log without output: both headings.
const EMPTY: u64 = 2;

/// A page of these lines, which are all.
fn window(mut lines: Vec<String>, from: i64, size: i64) -> LogLines {
    let total = lines.len();
    let size = usize::try_from(size).unwrap_or(total);
    let start = usize::try_from(from).unwrap_or(total.saturating_sub(size));
    lines.drain(..start.min(total));
    lines.truncate(size);
    LogLines {
        from: i64::try_from(start).unwrap_or(i64::MAX),
        total: total as u64,
        lines,
    }
}

#[async_trait]
impl LogSource for ExecutorLog {
    async fn page(&self, from: i64, size: i64) -> io::Result<LogLines> {
        if let Some(mirror) = &self.mirror {
            mirror.refresh_for_reader().await;
        }
        let log = Arc::clone(&self.log);
        let excuse = self.excuse();
        let read = move || {
            let page = log.page(from, size)?;
            let Some(excuse) = excuse.filter(|_| page.total == EMPTY) else {
                return Ok(page);
            };
            let headings = log.page(0, -1)?.lines;
            Ok(window([headings, vec![excuse]].concat(), from, size))
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(io::Error::other)?
    }

    async fn past(&self, place: LogPlace, most: u64, is_over: bool) -> io::Result<LogNews> {
        if let Some(mirror) = &self.mirror {
            mirror.refresh_for_reader().await;
        }
        let log = Arc::clone(&self.log);
        tokio::task::spawn_blocking(move || log.past(place, most, is_over))
            .await
            .map_err(io::Error::other)?
    }

    async fn before_last(&self, count: u64) -> io::Result<LogPlace> {
        let log = Arc::clone(&self.log);
        tokio::task::spawn_blocking(move || log.before_last(count))
            .await
            .map_err(io::Error::other)?
    }

    /// The copy of an executor's log grows when a reader asks for it.
    fn growth(&self) -> Option<Grown> {
        None
    }

    fn tail(&self, count: usize) -> io::Result<Vec<String>> {
        self.log.tail(count)
    }

    fn recent_tail(&self, count: usize) -> Option<Vec<String>> {
        self.log.recent_tail(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_log_has_the_same_pages_as_a_long_one() {
        let lines = || ["a", "b", "c"].map(str::to_owned).to_vec();
        for (from, size, begin, shown) in [
            (-1, 100, 0, "abc"),
            (-1, 2, 1, "bc"),
            (0, 2, 0, "ab"),
            (1, -1, 1, "bc"),
            (-1, -1, 0, "abc"),
            (3, 5, 3, ""),
            (9, 5, 9, ""),
            (-1, 0, 3, ""),
        ] {
            let page = window(lines(), from, size);
            assert_eq!((page.from, page.total), (begin, 3), "{from} {size}");
            assert_eq!(page.lines.concat(), shown, "{from} {size}");
        }
    }
}
