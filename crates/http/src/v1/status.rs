//! `/api/v1/status`: the states of many sessions and batches, in one request.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use livius_domain::{BatchId, SessionId};
use livius_wire::{AbsentAnswer, ProblemAnswer, StatusAnswer, StatusEntryAnswer, livy};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::parameters::{Parameters, bad};
use super::{Problem, V1};
use crate::request::described::StatusQuery;
use crate::request::extract::CallerOf;
use crate::response::tagged;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new().routes(routes!(status_get))
}

/// Shows the states of the sessions and batches that the request names. Those that are not there
/// are listed as absent. To name a session is a heartbeat of it.
#[utoipa::path(
    get,
    path = "/api/v1/status",
    tag = "server",
    params(StatusQuery),
    responses(
        (status = 200, description = "Their states", body = StatusAnswer,
            headers(("ETag" = String, description = "Another one when any of the answer is another"))),
        (status = 304, description = "The answer is the one that `If-None-Match` names"),
        (status = 400, description = "A parameter cannot be read, or names more than 1000 numbers", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn status_get(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::new(query.as_deref());
    let (sessions, batches) = (parameters.ids("sessions")?, parameters.ids("batches")?);
    if sessions.is_none() && batches.is_none() {
        let missing = bad("sessions", "neither sessions nor batches are named");
        return Err(missing.hint("write ?sessions=1,2,3 or ?batches=7, or both"));
    }
    let session_ids: Vec<SessionId> = sessions.into_iter().flatten().map(SessionId).collect();
    let batch_ids: Vec<BatchId> = batches.into_iter().flatten().map(BatchId).collect();
    let sessions = app.sessions.acting(&caller).statuses(&session_ids).await?;
    let batches = app.batches.acting(&caller).statuses(&batch_ids).await?;
    let entry_of_session = |id: &SessionId| {
        let found = sessions.get(id)?;
        let shown = livy::SessionState::of(&found.state, found.busy, found.recovering);
        let app = found.app.as_ref();
        Some(StatusEntryAnswer::of_session(
            id.0,
            &found.state,
            shown,
            app,
        ))
    };
    let entry_of_batch = |id: &BatchId| {
        let found = batches.get(id)?;
        let app = found.app.as_ref();
        Some(StatusEntryAnswer::of_batch(id.0, &found.state, app))
    };
    let is_absent_session = |id: &&SessionId| !sessions.contains_key(id);
    let is_absent_batch = |id: &&BatchId| !batches.contains_key(id);
    let answer = StatusAnswer {
        sessions: session_ids.iter().filter_map(entry_of_session).collect(),
        batches: batch_ids.iter().filter_map(entry_of_batch).collect(),
        absent: AbsentAnswer {
            sessions: session_ids
                .iter()
                .filter(is_absent_session)
                .map(|id| id.0)
                .collect(),
            batches: batch_ids
                .iter()
                .filter(is_absent_batch)
                .map(|id| id.0)
                .collect(),
        },
    };
    Ok(tagged::ok(&headers, &answer))
}
