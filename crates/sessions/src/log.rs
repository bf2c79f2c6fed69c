//! The log of a session or a batch, as a reader keeps it.

use std::sync::Arc;

use livius_launch::LogSource;

use crate::error::SessionError;
use crate::view::LogPage;

/// A handle to a log that stays readable when the session or batch is purged.
#[derive(Debug, Clone)]
pub struct Logbook {
    id: i32,
    log: Arc<dyn LogSource>,
}

impl Logbook {
    pub(crate) fn new(id: i32, log: Arc<dyn LogSource>) -> Self {
        Self { id, log }
    }

    /// A page of it. A negative `from` means the last `size` lines, a negative `size` all of them.
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
