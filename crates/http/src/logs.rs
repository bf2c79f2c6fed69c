//! `/sessions/{id}/log`.

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{SessionId, chain};
use futures_util::{StreamExt as _, stream};
use sessions::{LogPage, SessionError, SessionRef, Sessions};
use wire::{ErrorMessage, LogAnswer};

use crate::answer;
use crate::error::ApiError;
use crate::extract::InSession;
use crate::query::Query;
use crate::router::Edge;

/// How many lines are read at once; a longer page is sent piece by piece.
const PIECE_LINES: i64 = 1_000;

const PAGE_SIZE: i64 = 100;

/// Shows a page of a session's log, the last lines of it when not told otherwise.
#[utoipa::path(
    get,
    path = "/sessions/{id}/log",
    tag = "sessions",
    params(
        ("id" = String, Path, description = "The session's number or name"),
        ("from" = Option<i32>, Query, description = "Index of the first line; the last `size` lines when left out or below zero"),
        ("size" = Option<i32>, Query, description = "How many lines at most; 100 when left out, all when below zero"),
    ),
    responses(
        (status = 200, description = "A page of the log", body = LogAnswer),
        (status = 400, description = "A parameter is not a number", body = ErrorMessage),
        (status = 404, description = "There is no such session", body = ErrorMessage),
    )
)]
pub async fn session_log(
    State(edge): State<Edge>,
    InSession(session): InSession,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Query::new(query.as_deref());
    let from = query.integer("from")?.unwrap_or(-1);
    let size = query.integer("size")?.unwrap_or(PAGE_SIZE);
    if (0..=PIECE_LINES).contains(&size) {
        let page = edge.sessions.log(&session, from, size).await?;
        return Ok(answer::ok(&shown(&page)));
    }
    let body = long_page(edge.sessions, session, from, size).await?;
    Ok(answer::json(StatusCode::OK, body))
}

fn shown(page: &LogPage) -> LogAnswer<'_> {
    LogAnswer {
        id: page.id.0,
        from: page.from,
        total: page.total,
        log: &page.lines,
    }
}

/// A page that may be long, as a body that never holds it whole.
async fn long_page(
    sessions: Sessions,
    session: SessionRef,
    from: i64,
    size: i64,
) -> Result<Body, SessionError> {
    let LogPage { id, total, .. } = sessions.log(&session, 0, 0).await?;
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    let size = if size < 0 { total } else { size };
    let from = if from < 0 {
        (total - size).max(0)
    } else {
        from
    };
    let lines = Lines {
        sessions,
        session,
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

fn head(id: SessionId, from: i64, total: i64) -> Bytes {
    Bytes::from(format!(
        "{{\"id\":{id},\"from\":{from},\"total\":{total},\"log\":["
    ))
}

struct Lines {
    sessions: Sessions,
    session: SessionRef,
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
        let page = self.sessions.log(&self.session, self.next, size).await?;
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
