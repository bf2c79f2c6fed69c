//! The log of a session or a batch, as a reader keeps it.

use std::sync::Arc;

use livius_launch::LogSource;

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

/// Reads the last lines of logs. All of them are read by one thread that may wait for the disk. A
/// log that cannot be read is empty here, and the server's log says why.
pub(crate) async fn tails(logs: Vec<(i32, Arc<dyn LogSource>)>, lines: usize) -> Vec<Vec<String>> {
    let read = move || {
        let tail = |(id, log): (i32, Arc<dyn LogSource>)| {
            log.tail(lines).unwrap_or_else(|error| {
                tracing::warn!(id, %error, "cannot read the log of a session or batch");
                Vec::new()
            })
        };
        logs.into_iter().map(tail).collect()
    };
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "reading logs broke off");
            Vec::new()
        })
}
