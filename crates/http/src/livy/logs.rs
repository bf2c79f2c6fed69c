//! `/sessions/{id}/log` and `/batches/{id}/log`.

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use livius_domain::chain;
use livius_sessions::{LogPage, Logbook, SessionError};
use livius_wire::LogAnswer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{BadParameter, NoBatch, NoSession};
use super::{Livy, Refusal};
use crate::request::described::{BatchPath, LogQuery, SessionPath};
use crate::request::extract::{CallerOf, InBatch, InSession};
use crate::request::query::{PAGE_SIZE, Query};
use crate::response;
use crate::state::AppState;

/// The number of lines that are read at once. A longer page is streamed.
const PIECE_LINES: i64 = 1_000;

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .routes(routes!(session_log))
        .routes(routes!(batch_log))
}

/// Shows a page of a session's log; by default its last lines.
#[utoipa::path(
    get,
    path = "/sessions/{id}/log",
    tag = "sessions",
    params(SessionPath, LogQuery),
    responses(
        (status = 200, description = "A page of the log", body = LogAnswer),
        BadParameter,
        NoSession,
    )
)]
pub async fn session_log(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    answered(
        app.sessions.acting(&caller).log(&session).await?,
        query.as_deref(),
    )
    .await
}

/// Shows a page of a batch's log; by default its last lines. Standard output and standard error are
/// one log, in the order in which the application wrote them.
#[utoipa::path(
    get,
    path = "/batches/{id}/log",
    tag = "batches",
    params(BatchPath, LogQuery),
    responses(
        (status = 200, description = "A page of the log", body = LogAnswer),
        BadParameter,
        NoBatch,
    )
)]
pub async fn batch_log(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    answered(
        app.batches.acting(&caller).log(&batch).await?,
        query.as_deref(),
    )
    .await
}

async fn answered(log: Logbook, query: Option<&str>) -> Result<Response, Refusal> {
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
