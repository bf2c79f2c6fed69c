//! Writes pages of logs. All interfaces have the same.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use livius_domain::chain;
use livius_sessions::{LogPage, Logbook, SessionError};
use livius_wire::{LogAnswer, RequestError};

use crate::request::query::{PAGE_SIZE, Query};
use crate::response;

/// The number of lines that are read at once. A longer page is streamed.
const PIECE_LINES: i64 = 1_000;

/// Answers with the page of a log that a query asks for; by default its last lines.
pub async fn page<E>(log: Logbook, query: Option<&str>) -> Result<Response, E>
where
    E: From<RequestError> + From<SessionError>,
{
    let query = Query::new(query);
    let from = query.integer("from")?.unwrap_or(-1);
    let size = query.integer("size")?.unwrap_or(PAGE_SIZE);
    if (0..=PIECE_LINES).contains(&size) {
        return Ok(response::ok(&shown(&log.page(from, size).await?)));
    }
    let body = long_page(log, from, size).await?;
    Ok(response::json(StatusCode::OK, body))
}

fn shown(page: &LogPage) -> LogAnswer<'_> {
    LogAnswer {
        id: page.id,
        from: page.from,
        total: page.total,
        log: &page.lines,
    }
}

/// Streams a page that may be too long to hold in memory.
async fn long_page(log: Logbook, from: i64, size: i64) -> Result<Body, SessionError> {
    let LogPage { id, total, .. } = log.page(0, 0).await?;
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    let size = if size < 0 { total } else { size };
    let from = if from < 0 {
        (total - size).max(0)
    } else {
        from
    };
    let lines = Lines {
        log,
        next: from,
        end: total.min(from.saturating_add(size)),
        separator: "",
    };
    let head = stream::once(async move { Ok::<_, SessionError>(head(id, from, total)) });
    let lines = stream::try_unfold(lines, async |mut lines: Lines| {
        let piece = lines.next().await.inspect_err(|error| {
            tracing::warn!(error = %chain(error), "an answer with a log broke off");
        })?;
        Ok(piece.map(|piece| (piece, lines)))
    });
    let tail = stream::once(async { Ok(Bytes::from_static(b"]}")) });
    Ok(Body::from_stream(head.chain(lines).chain(tail)))
}

fn head(id: i32, from: i64, total: i64) -> Bytes {
    Bytes::from(format!(
        "{{\"id\":{id},\"from\":{from},\"total\":{total},\"log\":["
    ))
}

struct Lines {
    log: Logbook,
    next: i64,
    end: i64,
    separator: &'static str,
}

impl Lines {
    async fn next(&mut self) -> Result<Option<Bytes>, SessionError> {
        let size = (self.end - self.next).min(PIECE_LINES);
        if size <= 0 {
            return Ok(None);
        }
        let page = self.log.page(self.next, size).await?;
        if page.lines.is_empty() {
            return Ok(None);
        }
        let mut piece = Vec::new();
        for line in &page.lines {
            piece.extend_from_slice(self.separator.as_bytes());
            self.separator = ",";
            serde_json::to_writer(&mut piece, line).expect("a text is always JSON");
        }
        self.next += i64::try_from(page.lines.len()).unwrap_or(i64::MAX);
        Ok(Some(Bytes::from(piece)))
    }
}
