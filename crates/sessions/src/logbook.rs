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
