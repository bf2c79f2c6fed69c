//! `/sessions/{id}/log` and `/batches/{id}/log`.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use livius_wire::LogAnswer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{BadParameter, NoBatch, NoSession};
use super::{Livy, Refusal};
use crate::request::described::{BatchPath, LogQuery, SessionPath};
use crate::request::extract::{CallerOf, InBatch, InSession};
use crate::response::log_stream;
use crate::state::AppState;

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
    let log = app.sessions.acting(&caller).log(&session).await?;
    log_stream::page(log, query.as_deref()).await
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
    let log = app.batches.acting(&caller).log(&batch).await?;
    log_stream::page(log, query.as_deref()).await
}
